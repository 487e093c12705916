#include "bench/report/plots.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/report/words.hpp"

namespace holdfast::bench {
namespace {

// In the units of the picture's view box.
constexpr double label_width = 330, plot_width = 460, value_width = 200, row_height = 26, bar = 14,
                 axis_height = 26;
constexpr double plot_right = label_width + plot_width;

std::string text_at(double x, double y, const std::string& kind, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, kind,
                     escaped(text));
}

std::string bar_at(double from, double to, double y, const std::string& kind,
                   const std::string& told) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" rx=\"2\" class=\"{}\">"
      "<title>{}</title></rect>\n",
      std::min(from, to), y - bar / 2, std::max(std::fabs(to - from), 1.0), bar, kind,
      escaped(told));
}

std::string line_at(double x1, double y1, double x2, double y2, const std::string& kind) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
      y2, kind);
}

std::string name_of(const row& of) {
  return of.durability == "none" ? of.path : of.path + ", " + of.durability;
}

// From values to places between the labels on the left and the figures on the right.
class axis {
 public:
  static axis logarithmic(double least, double most) {
    return {std::floor(std::log10(least)), std::ceil(std::log10(most)), true};
  }
  /// Up to a round number, in four round steps.
  static axis linear(double most) {
    const double power = std::pow(10, std::floor(std::log10(std::max(most, 1e-3) / 4)));
    for (const double step : {1.0, 2.0, 2.5, 5.0})
      if (4 * step * power >= most) return {0, 4 * step * power, false};
    return {0, 40 * power, false};
  }

  double at(double value) const {
    const double place = logarithmic_ ? std::log10(std::max(value, 1e-9)) : value;
    return label_width + plot_width * std::clamp((place - from_) / (to_ - from_), 0.0, 1.0);
  }
  /// Whole powers of ten, or quarters.
  std::vector<double> marks() const {
    std::vector<double> made;
    if (logarithmic_)
      for (double power = from_; power <= to_; ++power) made.push_back(std::pow(10, power));
    else
      for (int i = 0; i <= 4; ++i) made.push_back(to_ * i / 4);
    return made;
  }

 private:
  axis(double from, double to, bool logarithmic)
      : from_(from),
        to_(std::max(to, from + (logarithmic ? 1 : 1e-9))),
        logarithmic_(logarithmic) {}
  double from_, to_;
  bool logarithmic_;
};

std::string frame(const rows& of, const axis& along, std::string (*word)(double),
                  const std::string& inside) {
  const double height = row_height * static_cast<double>(of.size()) + axis_height;
  std::string made =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", plot_right + value_width, height);
  for (const double mark : along.marks()) {
    made += line_at(along.at(mark), 0, along.at(mark), height - axis_height, "grid");
    made += text_at(along.at(mark), height - 8, "mark", word(mark));
  }
  return made + inside + "</svg>\n";
}

double middle_of(std::size_t row) {
  return row_height * (static_cast<double>(row) + 0.5);
}

std::string label(std::size_t i, const row& of) {
  return text_at(label_width - 10, middle_of(i) + 4, "name " + family(of), name_of(of));
}

std::string times_word(double ratio) {
  return ratio >= 1 ? fmt::format("{:g}x", ratio) : fmt::format("1/{:g}", 1 / ratio);
}

std::string round_time_word(double us) {
  return us >= 1000 ? fmt::format("{:g} ms", us / 1000) : fmt::format("{:g} us", us);
}

double most_of(const rows& of, double (*value)(const row&)) {
  double most = 0;
  for (const row& one : of) most = std::max(most, value(one));
  return most;
}

}  // namespace

std::string ratio_plot(const rows& of) {
  double least = 1, most = 1;
  for (const row& one : of) {
    if (one.ratio.least > 0) least = std::min(least, one.ratio.least);
    most = std::max(most, one.ratio.most);
  }
  const axis along = axis::logarithmic(least, most);
  std::string inside;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const row& one = of[i];
    const double y = middle_of(i);
    inside += label(i, one);
    inside += bar_at(along.at(1), along.at(one.ratio.median), y, family(one), one.settings);
    inside += line_at(along.at(one.ratio.least), y, along.at(one.ratio.most), y, "range");
    inside += text_at(plot_right + 10, y + 4, "value",
                      fmt::format("{}x  {} msg/s", ratio_word(one.ratio.median),
                                  count_word(one.messages_per_s.median)));
  }
  inside += line_at(along.at(1), 0, along.at(1), middle_of(of.size()) - row_height / 2, "base");
  return frame(of, along, times_word, inside);
}

std::string cpu_plot(const rows& of) {
  const axis along = axis::linear(most_of(
      of, [](const row& one) { return one.producer_us + one.broker_us + one.consumer_us; }));
  std::string inside;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const row& one = of[i];
    inside += label(i, one);
    double so_far = 0;
    const auto stack = [&](double us, const std::string& role) {
      inside += bar_at(along.at(so_far), along.at(so_far + us), middle_of(i), role,
                       role + " " + time_word(us));
      so_far += us;
    };
    stack(one.producer_us, "producer");
    stack(one.broker_us, "broker");
    stack(one.consumer_us, "consumer");
    inside += text_at(plot_right + 10, middle_of(i) + 4, "value",
                      fmt::format("broker {}", time_word(one.broker_us)));
  }
  return frame(of, along, round_time_word, inside);
}

std::string time_plot(const rows& of) {
  double least = 1e9;
  for (const row& one : of)
    if (one.p50_us > 0) least = std::min(least, one.p50_us);
  const axis along = axis::logarithmic(
      std::min(least, 1e8), most_of(of, [](const row& one) { return std::max(one.p999_us, 1.0); }));
  std::string inside;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const row& one = of[i];
    const double y = middle_of(i);
    inside += label(i, one);
    inside += line_at(along.at(one.p50_us), y, along.at(one.p999_us), y, "range");
    for (const double us : {one.p50_us, one.p99_us, one.p999_us})
      inside += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" class=\"{}\"/>\n",
                            along.at(us), y, family(one));
    inside += text_at(plot_right + 10, y + 4, "value",
                      fmt::format("{} / {} / {}", time_word(one.p50_us), time_word(one.p99_us),
                                  time_word(one.p999_us)));
  }
  return frame(of, along, round_time_word, inside);
}

std::string escaped(const std::string& text) {
  std::string made;
  for (const char c : text) {
    if (c == '<')
      made += "&lt;";
    else if (c == '>')
      made += "&gt;";
    else if (c == '&')
      made += "&amp;";
    else
      made += c;
  }
  return made;
}

std::string family(const row& of) {
  if (of.path.starts_with("holdfast")) return "own";
  for (const char* plain : {"zmq_proxy", "raw", "round trip", "fdatasync"})
    if (of.path.starts_with(plain)) return "plain";
  return "peer";
}

}  // namespace holdfast::bench
