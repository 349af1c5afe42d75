// The registries of PROTOCOL.md, section 10, and the table of errors of section 2, against the
// enums and the code that they are of.
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/page/tables.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole {
namespace {

using error::ErrorDetail;

std::string Without(const std::string& name, const char* prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}

// "1 MALFORMED INVALID_ARGUMENT" of each.
std::set<std::string> ReasonsOfTheCode() {
  std::set<std::string> reasons;
  const auto* names = ErrorDetail::Reason_descriptor();
  for (int i = 0; i < names->value_count(); ++i) {
    const int number = names->value(i)->number();
    if (number == ErrorDetail::REASON_UNSPECIFIED) continue;
    const auto reason = static_cast<ErrorDetail::Reason>(number);
    reasons.insert(absl::StrCat(number, " ", Without(names->value(i)->name(), "REASON_"), " ",
                                absl::StatusCodeToString(error::CodeOf(reason))));
  }
  return reasons;
}

TEST(RegistriesTest, ReasonsAndTheirCodes) {
  std::set<std::string> on_page;
  for (const page::Row& row : page::TableWith("number | reason | code | carries")) {
    on_page.insert(absl::StrCat(row[0], " ", row[1], " ", row[2]));
  }
  EXPECT_EQ(on_page, ReasonsOfTheCode());
}

TEST(RegistriesTest, TheTableOfErrorsHasEachReasonUnderItsCode) {
  std::set<std::string> left;
  std::map<std::string, std::string> codes;
  for (const page::Row& row : page::TableWith("number | reason | code | carries")) {
    codes[row[1]] = row[2];
    left.insert(row[1]);
  }
  const std::regex word("[A-Z][A-Z_]+");
  for (const page::Row& row : page::TableWith("code | reasons | what the client does")) {
    const auto end = std::sregex_iterator();
    for (auto it = std::sregex_iterator(row[1].begin(), row[1].end(), word); it != end; ++it) {
      EXPECT_EQ(codes[it->str()], row[0]) << it->str();
      EXPECT_EQ(left.erase(it->str()), 1u) << it->str();
    }
  }
  EXPECT_TRUE(left.empty()) << *left.begin() << " is missing";
}

TEST(RegistriesTest, Moods) {
  std::set<std::string> on_page;
  for (const page::Row& row :
       page::TableWith("number | mood | a side that closes so | an unfinished peer hears")) {
    on_page.insert(absl::StrCat(row[0], " ", row[1]));
  }
  std::set<std::string> in_code;
  const auto* moods = rendezvous::v1::Mood_descriptor();
  for (int i = 1; i < moods->value_count(); ++i) {
    in_code.insert(
        absl::StrCat(moods->value(i)->number(), " ", Without(moods->value(i)->name(), "MOOD_")));
  }
  EXPECT_EQ(on_page, in_code);
}

// What stands where a label does, in the files that hash or authenticate.
TEST(RegistriesTest, Labels) {
  const std::regex label(
      "(?:kProtocolName, |Okm<[^>]*>\\(prk_, |AddField\\()\"([a-z]+)\"|kSuite = \"([A-Z0-9-]+)\"");
  std::set<std::string> in_code = {"initiator", "receiver"};  // RoleName, in AssociatedData
  for (const char* name : {"client/pake/associated_data.cc", "client/pake/key_schedule.cc",
                           "client/pake/sealed.cc", "client/pake/cpace.cc", "proto/wire/side.cc"}) {
    std::ifstream file(name);
    ASSERT_TRUE(file) << name;
    std::stringstream text;
    text << file.rdbuf();
    const std::string source = text.str();
    for (auto it = std::sregex_iterator(source.begin(), source.end(), label);
         it != std::sregex_iterator(); ++it) {
      in_code.insert((*it)[1].matched ? (*it)[1].str() : (*it)[2].str());
    }
  }
  std::set<std::string> on_page;
  for (const page::Row& row : page::TableWith("label | of")) on_page.insert(row[0]);
  EXPECT_EQ(on_page, in_code);
}

}  // namespace
}  // namespace wormhole
