// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/fidelity_report.h"

#include <algorithm>

namespace kalends {
namespace {

std::string padded(size_t count) {
  std::string text = std::to_string(count);
  return std::string(text.size() < 7 ? 7 - text.size() : 0, ' ') + text + "  ";
}

void append_losses(std::string& out, std::string_view heading,
                   const std::vector<FidelityReport::Loss>& losses) {
  if (losses.empty()) return;
  out += heading;
  for (const auto& loss : losses) out += padded(loss.count) + loss.what + "\n           " + loss.why + "\n";
}

Json losses_json(const std::vector<FidelityReport::Loss>& losses) {
  Json rows = Json::array();
  for (const auto& loss : losses)
    rows.push_back({{"what", loss.what}, {"count", loss.count}, {"why", loss.why}});
  return rows;
}

}  // namespace

std::string report_text(const FidelityReport& report) {
  std::string title = report.board_title;
  std::replace_if(
      title.begin(), title.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      ' ');
  std::string out = "Board: " + title + "\n\nCame over:\n";
  for (const auto& count : report.carried) out += padded(count.count) + count.what + "\n";
  append_losses(out, "\nCame over in another form:\n", report.changed);
  append_losses(out, "\nDid not come over:\n", report.lost);
  if (report.lost.empty()) out += "\nEverything in the file came over.\n";
  if (!report.absent.empty()) {
    out += "\nSuch a file never holds:\n";
    for (const std::string& what : report.absent) out += "         " + what + "\n";
  }
  return out;
}

Json report_json(const FidelityReport& report) {
  Json carried = Json::object();
  for (const auto& count : report.carried) carried[count.what] = count.count;
  return {{"board", report.board_title},
          {"carried", std::move(carried)},
          {"changed", losses_json(report.changed)},
          {"lost", losses_json(report.lost)},
          {"absent", report.absent}};
}

}  // namespace kalends
