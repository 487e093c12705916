// roles: what the producer and a consumer do, whoever the contestant is.
#pragma once

#include "bench/line/ends.hpp"
#include "bench/line/stage.hpp"

namespace holdfast::bench {

void produce(const work& asked, stage& on, sender& to);
void consume(const work& asked, stage& on, flow& own, receiver& from);

}  // namespace holdfast::bench
