#include "bench/replay/curves_svg.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace larder::bench {
namespace {

// Points of the picture.
constexpr double kPlotWidth = 218;
constexpr double kPlotHeight = 132;
constexpr double kPanelWidth = 280;
constexpr double kPanelHeight = 200;
constexpr double kPlotLeft = 46;
constexpr double kPlotTop = 26;
constexpr double kLegendHeight = 34;
constexpr size_t kColumns = 3;

// Colours that stand out on white and on black.
struct Style {
  std::string_view policy;
  std::string_view label;
  std::string_view colour;
  std::string_view more;
};
constexpr Style kStyles[] = {
    {"adaptive", "Larder", "#e5383b", "stroke-width:2.8"},
    {"lru", "LRU", "#8b949e", ""},
    {"fifo", "FIFO", "#b08968", ""},
    {"s3fifo", "S3-FIFO", "#2f81f7", ""},
    {"qdlp", "QD-LP", "#17a2b8", ""},
    {"arc", "ARC", "#2da44e", ""},
    {"sieve", "SIEVE", "#d29922", ""},
    {"gdsf", "GDSF", "#db61a2", ""},
    {"belady", "Bélády", "#9a6ee0", "stroke-dasharray:5 3"},
};

// Grey reads on both; who says which it is gets more contrast.
constexpr std::string_view kCss =
    "text{font:11px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#768390}"
    ".name{font-weight:600}"
    ".grid{stroke:#8b949e;stroke-opacity:.28;stroke-width:1}"
    ".line{fill:none;stroke-width:1.6;stroke-linejoin:round}"
    "@media(prefers-color-scheme:light){text{fill:#57606a}.name{fill:#24292f}}"
    "@media(prefers-color-scheme:dark){text{fill:#9ea7b3}.name{fill:#e6edf3}}";

[[gnu::format(printf, 2, 3)]] void Append(std::string& out, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  out.append(text, std::min(static_cast<size_t>(std::max(size, 0)), sizeof(text) - 1));
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// What the axes of a panel show. Capacities are on a logarithmic one, the same in all panels, so
// that they can be compared; hit ratios are on one that fits the panel.
struct Axes {
  double share_min;
  double share_max;
  double hit_min;
  double hit_max;
  double hit_step;

  [[nodiscard]] double X(double share) const {
    const double along = std::log(share / share_min) / std::log(share_max / share_min);
    return kPlotLeft + kPlotWidth * along;
  }
  [[nodiscard]] double Y(double hit) const {
    return kPlotTop + kPlotHeight * (hit_max - hit) / (hit_max - hit_min);
  }
};

void FitShares(const std::vector<CurvePanel>& panels, Axes* axes) {
  axes->share_min = 1;
  axes->share_max = 0;
  for (const CurvePanel& panel : panels) {
    for (const Cell& cell : panel.cells) {
      axes->share_min = std::min(axes->share_min, cell.share);
      axes->share_max = std::max(axes->share_max, cell.share);
    }
  }
  // Some room at the sides; also, one capacity alone is in the middle.
  axes->share_min /= 1.2;
  axes->share_max *= 1.2;
}

void FitHits(const CurvePanel& panel, Axes* axes) {
  double low = 1;
  double high = 0;
  for (const Cell& cell : panel.cells) {
    low = std::min(low, 1 - cell.miss_ratio);
    high = std::max(high, 1 - cell.miss_ratio);
  }
  axes->hit_step = 0.01;
  for (const double step : {0.02, 0.05, 0.1, 0.2}) {
    if (high - low > 4 * axes->hit_step) axes->hit_step = step;
  }
  axes->hit_min = std::floor(low / axes->hit_step) * axes->hit_step;
  axes->hit_max = std::ceil(high / axes->hit_step) * axes->hit_step;
  if (axes->hit_max - axes->hit_min < axes->hit_step / 2) axes->hit_max += axes->hit_step;
}

void DrawGrid(const Axes& axes, std::string& out) {
  const double right = kPlotLeft + kPlotWidth;
  const double bottom = kPlotTop + kPlotHeight;
  for (double hit = axes.hit_min; hit < axes.hit_max + axes.hit_step / 2; hit += axes.hit_step) {
    const double y = axes.Y(hit);
    Append(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", kPlotLeft, y, right);
    Append(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.0f %%</text>\n", kPlotLeft - 6,
           y + 4, 100 * hit);
  }
  for (const double share : {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0}) {
    if (share < axes.share_min || share > axes.share_max) continue;
    const double x = axes.X(share);
    Append(out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, kPlotTop, bottom);
    Append(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g %%</text>\n", x, bottom + 15,
           100 * share);
  }
}

void DrawCurve(const Axes& axes, const CurvePanel& panel, const Style& style, std::string& out) {
  std::vector<const Cell*> points;
  for (const Cell& cell : panel.cells) {
    if (cell.policy == style.policy) points.push_back(&cell);
  }
  if (points.empty()) return;
  std::ranges::sort(points, {}, &Cell::share);
  Append(out, "<path class=\"line %s\" d=\"", std::string(style.policy).c_str());
  for (size_t i = 0; i < points.size(); ++i) {
    Append(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', axes.X(points[i]->share),
           axes.Y(1 - points[i]->miss_ratio));
  }
  out += "\"/>";
  for (const Cell* point : points) {
    Append(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.8\" fill=\"%s\"/>", axes.X(point->share),
           axes.Y(1 - point->miss_ratio), std::string(style.colour).c_str());
  }
  out += "\n";
}

void DrawPanel(Axes axes, const CurvePanel& panel, const std::vector<Style>& styles,
               std::string& out) {
  FitHits(panel, &axes);
  Append(out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">%s</text>", kPlotLeft, kPlotTop - 9,
         Escaped(panel.trace).c_str());
  Append(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">of its %s</text>\n",
         kPlotLeft + kPlotWidth, kPlotTop - 9, std::string(NameOf(panel.kind)).c_str());
  DrawGrid(axes, out);
  // From behind: what is first in the legend lies on top.
  for (size_t i = styles.size(); i-- > 0;) DrawCurve(axes, panel, styles[i], out);
}

std::vector<Style> StylesOf(const std::vector<std::string>& policies) {
  std::vector<Style> styles;
  for (const std::string& policy : policies) {
    const auto* const known = std::ranges::find(kStyles, policy, &Style::policy);
    if (known != std::end(kStyles)) styles.push_back(*known);
  }
  return styles;
}

void DrawLegend(const std::vector<Style>& styles, std::string& out) {
  double x = kPlotLeft;
  for (const Style& style : styles) {
    Append(out, "<path class=\"line %s\" d=\"M%.1f 16h20\"/>", std::string(style.policy).c_str(),
           x);
    Append(out, "<text x=\"%.1f\" y=\"20\">%s</text>\n", x + 25, std::string(style.label).c_str());
    x += 86;
  }
}

void AppendStyles(const std::vector<Style>& styles, std::string& out) {
  out += "<style>";
  out += kCss;
  for (const Style& style : styles) {
    Append(out, ".%s{stroke:%s;%s}", std::string(style.policy).c_str(),
           std::string(style.colour).c_str(), std::string(style.more).c_str());
  }
  out += "</style>\n";
}

}  // namespace

std::string CurvesSvg(const std::vector<std::string>& policies,
                      const std::vector<CurvePanel>& all) {
  std::vector<CurvePanel> panels;
  std::ranges::copy_if(all, std::back_inserter(panels),
                       [](const CurvePanel& panel) { return !panel.cells.empty(); });
  const std::vector<Style> styles = StylesOf(policies);
  const size_t rows = (panels.size() + kColumns - 1) / kColumns;
  const double width = kColumns * kPanelWidth;
  const double height = kLegendHeight + static_cast<double>(rows) * kPanelHeight;
  std::string out;
  Append(out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
         "aria-label=\"Hit ratio over capacity\">\n",
         width, height);
  AppendStyles(styles, out);
  DrawLegend(styles, out);
  Axes axes = {};
  FitShares(panels, &axes);
  for (size_t i = 0; i < panels.size(); ++i) {
    const size_t row = i / kColumns;
    const double x = static_cast<double>(i % kColumns) * kPanelWidth;
    const double y = kLegendHeight + static_cast<double>(row) * kPanelHeight;
    Append(out, "<g transform=\"translate(%.0f %.0f)\">\n", x, y);
    DrawPanel(axes, panels[i], styles, out);
    out += "</g>\n";
  }
  out += "</svg>\n";
  return out;
}

}  // namespace larder::bench
