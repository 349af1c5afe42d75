#include "tests/bench/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace wormhole::bench {
namespace {

constexpr int kWidth = 820;
constexpr int kLabelX = 16;
constexpr int kLeft = 190;   // of the bars
constexpr int kRight = 540;  // of the bars
constexpr int kRatioX = 700;
constexpr int kRowHeight = 18;
constexpr int kMostGridLines = 7;

// Of a brightness that stands out from white and from black.
constexpr char kHead[] =
    "font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#7d8590\">\n";
constexpr char kBar[] = "#4a8fd0";
constexpr char kFloorBar[] = "#8b949e";

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::string Attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + Number(value, 1) + "\"";
}

bool HasRatio(const Row& row) { return row.ratio > 0 && std::isfinite(row.ratio); }

// Of the row's whisker; of its bar where it has none, or one that is not on the scale.
MiddleHalf Reach(const Row& row) {
  if (row.ratio_spread && row.ratio_spread->lower > 0) return *row.ratio_spread;
  return {.lower = row.ratio, .upper = row.ratio};
}

class Chart {
 public:
  explicit Chart(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      if (!HasRatio(row)) continue;
      lowest_ = std::min(lowest_, std::floor(std::log2(Reach(row).lower)));
      highest_ = std::max(highest_, std::ceil(std::log2(Reach(row).upper)));
    }
  }

  void AddText(double x, const std::string& text, const char* more = "") {
    body_ +=
        "<text" + Attribute("x", x) + Attribute("y", y_) + more + ">" + Escaped(text) + "</text>\n";
  }

  void AddHeading(const Row& row) {
    y_ += 10;
    const std::string unit = row.unit.empty() ? "" : ", " + row.unit;
    AddText(kLabelX, row.section + ": " + row.quantity + unit, " font-weight=\"bold\"");
    y_ += kRowHeight;
  }

  void AddRow(const Row& row) {
    AddText(kLabelX, row.subject);
    AddBar(row);
    const int digits = DigitsOf(row.ratio);
    std::string ratio = Number(row.ratio, digits);
    if (row.ratio_spread) {
      ratio += " (" + Number(row.ratio_spread->lower, digits) + "-" +
               Number(row.ratio_spread->upper, digits) + ")";
    }
    AddText(kRatioX, ratio, " text-anchor=\"end\"");
    AddText(kWidth - kLabelX, Number(row.value, row.value < 1000 ? 1 : 0), " text-anchor=\"end\"");
    y_ += kRowHeight;
  }

  // The lines of the scale, below what has been added, with their labels there.
  std::string Finish(const std::string& caption) {
    AddScale();
    for (const std::string& line :
         {std::string("Bars begin at the floor, 1, on a logarithmic scale. Whiskers and brackets "
                      "are the middle half of the rounds."),
          std::string("On the right: the ratio to the floor, and the number itself."), caption}) {
      y_ += kRowHeight;
      AddText(kLabelX, line);
    }
    const std::string size = Number(kWidth, 0) + " " + Number(y_ + 12, 0);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + "\" " + kHead +
           "<title>" + Escaped(caption) + "</title>\n" + body_ + "</svg>\n";
  }

 private:
  double XOf(double ratio) const {
    return kLeft + (std::log2(ratio) - lowest_) / (highest_ - lowest_) * (kRight - kLeft);
  }

  void AddBar(const Row& row) {
    const double x = XOf(row.ratio);
    const double floor = XOf(1);
    const bool at_floor = row.ratio == 1;
    body_ += "<rect" + Attribute("x", std::min(x, floor) - (at_floor ? 2 : 0)) +
             Attribute("y", y_ - 10) +
             Attribute("width", at_floor ? 4 : std::max(1.0, std::abs(x - floor))) +
             Attribute("height", 11) + " fill=\"" + (at_floor ? kFloorBar : kBar) + "\"/>\n";
    if (at_floor) return;
    const std::string lower = Number(XOf(Reach(row).lower), 1);
    const std::string upper = Number(XOf(Reach(row).upper), 1);
    const std::string middle = Number(y_ - 4.5, 1);
    const std::string tick = Number(y_ - 8.5, 1) + "v8";
    body_ += "<path d=\"M" + lower + " " + middle + "H" + upper + "M" + lower + " " + tick + "M" +
             upper + " " + tick + "\" fill=\"none\" stroke=\"#d08b2c\" stroke-width=\"1.5\"/>\n";
  }

  void AddScale() {
    const double step = std::ceil((highest_ - lowest_) / kMostGridLines);
    for (double power = std::ceil(lowest_ / step) * step; power <= highest_; power += step) {
      const double x = XOf(std::exp2(power));
      const std::string label =
          power < 0 ? "1/" + Number(std::exp2(-power), 0) : Number(std::exp2(power), 0);
      AddText(x, label, " text-anchor=\"middle\"");
      body_ += "<path d=\"M" + Number(x, 1) + " 12V" + Number(y_ - 14, 1) +
               "\" stroke=\"#7d8590\" stroke-opacity=\"" + (power == 0 ? "0.9" : "0.25") + "\"/>\n";
    }
  }

  std::string body_;
  double y_ = 14;
  // The ends of the scale, powers of two.
  double lowest_ = -1;
  double highest_ = 1;
};

}  // namespace

std::string DrawChart(const std::string& caption, const std::vector<Row>& rows) {
  Chart chart(rows);
  const Row* last = nullptr;
  for (const Row& row : rows) {
    if (!HasRatio(row)) continue;
    const bool same =
        last != nullptr && last->section == row.section && last->quantity == row.quantity;
    if (!same) chart.AddHeading(row);
    chart.AddRow(row);
    last = &row;
  }
  return chart.Finish(caption);
}

}  // namespace wormhole::bench
