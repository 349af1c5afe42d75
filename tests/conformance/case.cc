#include "tests/conformance/case.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

namespace wormhole::conformance {
namespace {

struct Result {
  Verdict verdict;
  double seconds = 0;
};

std::string Xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = c == '\n' || (c >= 0x20 && c < 0x7f && c != '<' && c != '&' && c != '"');
    out += plain ? c : '?';
  }
  return out;
}

std::string Failure(const Verdict& verdict) {
  std::string text;
  for (const std::string& wrong : verdict.wrongs) text += "  " + wrong + "\n";
  return text + verdict.details;
}

void WriteXml(const std::vector<Case>& cases, const std::vector<Result>& results,
              const std::string& path) {
  std::ofstream out(path);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite "
         "name=\"conformance\">\n";
  for (size_t i = 0; i < cases.size(); ++i) {
    out << "<testcase classname=\"conformance\" status=\"run\" name=\"" << Xml(cases[i].name)
        << "\" time=\"" << results[i].seconds << "\">";
    const Verdict& verdict = results[i].verdict;
    if (!verdict.skipped.empty()) out << "<skipped message=\"" << Xml(verdict.skipped) << "\"/>";
    if (!verdict.wrongs.empty()) {
      out << "<failure message=\"failed\">" << Xml(Failure(verdict)) << "</failure>";
    }
    out << "</testcase>\n";
  }
  out << "</testsuite>\n</testsuites>\n";
}

void Print(const Case& one, const Result& result) {
  const Verdict& verdict = result.verdict;
  if (!verdict.skipped.empty()) {
    printf("skipped %s: %s\n", one.name.c_str(), verdict.skipped.c_str());
  } else if (verdict.wrongs.empty()) {
    printf("passed  %s (%.1f s)\n", one.name.c_str(), result.seconds);
  } else {
    printf("FAILED  %s (%.1f s): %s\n%s", one.name.c_str(), result.seconds, one.shows.c_str(),
           Failure(verdict).c_str());
  }
  fflush(stdout);
}

}  // namespace

int RunCases(const std::vector<Case>& cases, int jobs, const std::string& xml) {
  std::vector<Result> results(cases.size());
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (int job = 0; job < jobs; ++job) {
    threads.emplace_back([&] {
      for (size_t i; (i = next++) < cases.size();) {
        const auto start = std::chrono::steady_clock::now();
        results[i].verdict = cases[i].run();
        results[i].seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        Print(cases[i], results[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int failed = 0, skipped = 0;
  for (const Result& result : results) {
    failed += result.verdict.wrongs.empty() ? 0 : 1;
    skipped += result.verdict.skipped.empty() ? 0 : 1;
  }
  if (!xml.empty()) WriteXml(cases, results, xml);
  printf("%d passed, %d failed, %d skipped\n", static_cast<int>(cases.size()) - failed - skipped,
         failed, skipped);
  return failed;
}

}  // namespace wormhole::conformance
