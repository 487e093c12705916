// plain_commands: the verbs over raw sockets, as any ZeroMQ program would do it.
#pragma once

#include "devices/cli/commands.hpp"

namespace holdfast::cli {

/// Exit status 0 once every message is handed to the system's network; a PUSH socket cannot know
/// more.
int push_plain(const push_args& args);
int pull_plain(const pull_args& args);

/// Waits for the first subscriber: before that every message would vanish.
int pub_plain(const pub_args& args);
int sub_plain(const sub_args& args);

/// One request after another, with the empty delimiter of a REQ socket.
int req_plain(const req_args& args);
/// Answers with what the command prints, behind the envelope of the request.
int rep_plain(const rep_args& args);

}  // namespace holdfast::cli
