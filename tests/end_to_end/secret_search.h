// Finds secrets in what a program has written, whatever form it gave them.
#ifndef WORMHOLE_TESTS_END_TO_END_SECRET_SEARCH_H_
#define WORMHOLE_TESTS_END_TO_END_SECRET_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace wormhole::testing {

// A secret is found when any eight bytes of it that stand together are (nine in base64, all of a
// shorter one), so that one that was cut is found too. Forms: as it is; hexadecimal in both cases,
// also with blanks, colons or \x between; base64 of both alphabets at each alignment; C's escapes,
// octal, hexadecimal and decimal, of every byte or of those that are not printable; percent signs;
// lists of decimal numbers.
class SecretSearch {
 public:
  // At least five bytes. `name` is for people.
  void Add(const std::string& name, std::string_view secret);

  // `NAME as FORM` for each that stands in `text`.
  std::set<std::string> FindIn(std::string_view text) const;

  size_t size() const { return needles_.size(); }

 private:
  void AddNeedle(const std::string& needle, const std::string& found_as);

  std::unordered_map<std::string, size_t> needles_;  // to the index in names_
  std::vector<std::string> names_;                   // `NAME as FORM`
  // What each needle begins with, so that most places of a text take one look.
  std::unordered_set<uint64_t> beginnings_;
  std::set<size_t> lengths_;
  std::vector<std::string> short_;  // needles of less than eight bytes
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_SECRET_SEARCH_H_
