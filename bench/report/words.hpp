// words: figures as people read them.
#pragma once

#include <string>

namespace holdfast::bench {

std::string size_word(std::size_t bytes);  ///< "64 B", "1 KiB", "1 MiB"
std::string count_word(double value);      ///< "7.2 M", "480 k", "830"
std::string bytes_word(double bytes);      ///< "12 MiB"
std::string time_word(double us);          ///< "310 us", "2.4 ms"
std::string ratio_word(double ratio);      ///< "9.8", "0.031"

}  // namespace holdfast::bench
