#include "tests/faults/checker.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/faults/exchange_ledger.h"
#include "tests/faults/frame_ledger.h"

namespace wormhole::faults {
namespace {

[[noreturn]] void Die(const std::string& path, const std::string& what) {
  fprintf(stderr, "%s: %s\n", path.c_str(), what.c_str());
  abort();
}

LogLine Parse(const std::string& path, const std::string& text) {
  LogLine line;
  std::istringstream in(text);
  in >> line.time;
  for (std::string word; in >> word;) line.words.push_back(word);
  if (line.time == 0 || line.words.size() < 3) Die(path, "not a line of a log: " + text);
  return line;
}

void Print(std::ostream& out, const char* name, int count) { out << name << " " << count << ", "; }

}  // namespace

std::vector<LogLine> ReadLogs(const std::vector<std::string>& paths) {
  std::vector<LogLine> lines;
  for (const std::string& path : paths) {
    std::ifstream file(path);
    if (!file) Die(path, "cannot be read");
    for (std::string text; std::getline(file, text);) lines.push_back(Parse(path, text));
  }
  std::ranges::stable_sort(lines, {}, &LogLine::time);
  return lines;
}

Verdict Check(const std::vector<LogLine>& lines) {
  ExchangeLedger exchanges;
  FrameLedger frames;
  for (const LogLine& line : lines) {
    if (line.words.at(0) == "app") {
      exchanges.Note(line);
    } else {
      frames.Note(line);
    }
  }
  Verdict verdict;
  exchanges.Count(verdict);
  frames.Count(verdict);
  return verdict;
}

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  Print(out, "finished", verdict.finished);
  Print(out, "failed with a reason", verdict.failed);
  Print(out, "lost", verdict.lost);
  Print(out, "delivered twice", verdict.delivered_twice);
  Print(out, "paired wrongly", verdict.paired_wrongly);
  Print(out, "acknowledged frames", verdict.posted);
  Print(out, "of them missing", verdict.acknowledged_missing);
  Print(out, "frames altered", verdict.altered);
  Print(out, "nonces reused", verdict.nonces_reused);
  out << "refused " << verdict.refused;
  for (const auto& [reason, count] : verdict.reasons) {
    out << "; reason " << reason << " " << count << " times";
  }
  constexpr size_t kMostShown = 20;
  for (size_t i = 0; i < std::min(kMostShown, verdict.wrong.size()); ++i) {
    out << "\n  " << verdict.wrong[i];
  }
  return out;
}

}  // namespace wormhole::faults
