// The tables of PROTOCOL.md, for the tests that hold the code to them. Found by their whole header
// line, so that a table that was renamed is missed rather than passed over.
#ifndef WORMHOLE_PROTO_PAGE_TABLES_H_
#define WORMHOLE_PROTO_PAGE_TABLES_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wormhole::page {

using Row = std::vector<std::string>;  // cells, without the blanks around them

// The rows of the only table with this header, "number | reason | code | carries"; none, and a
// failed expectation, when there is no such table, more than one, or a row with other cells than
// the header's.
std::vector<Row> TableWith(std::string_view header);

// What an event does in a state.
struct Cell {
  std::string event, state, outcome;
};

// The cells of the table "event | STATE | STATE ..." that are not "-", row by row. None, and a
// failed expectation, when an event stands in two rows, is not among `events`, or has no row.
std::vector<Cell> StateTableWith(std::string_view header, const std::set<std::string>& events);

template <typename T>
std::set<std::string> NamesOf(const std::map<std::string, T>& named) {
  std::set<std::string> names;
  for (const auto& [name, value] : named) names.insert(name);
  return names;
}

}  // namespace wormhole::page

#endif  // WORMHOLE_PROTO_PAGE_TABLES_H_
