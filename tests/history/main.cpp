// holdfast_history FILE...: judges the merged history of a run (history.hpp). Exit status: 0 no
// violation, 1 one, which is told, 2 a file is no history.
#include <cstdio>
#include <fstream>

#include "tests/history/history.hpp"

int main(int count, char** files) {
  std::vector<history::event> events;
  for (int i = 1; i < count; ++i) {
    std::ifstream file(files[i]);
    std::string wrong;
    if (file && history::read(file, events, wrong)) continue;
    std::fprintf(stderr, "%s: %s\n", files[i], file.is_open() ? wrong.c_str() : "cannot be read");
    return 2;
  }
  const history::verdict said = history::verdict_on(std::move(events));
  std::printf("%lu sent, %lu accepted, %lu delivered, %lu again, %lu answered\n", said.sent,
              said.accepted, said.delivered, said.again, said.answered);
  if (said.by.empty()) return 0;
  std::printf("%s\n%s: %s\n", said.story.c_str(), said.by.c_str(), said.why.c_str());
  return 1;
}
