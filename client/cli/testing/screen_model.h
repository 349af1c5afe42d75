// For tests: what a terminal would show of the bytes that a program writes.
#ifndef WORMHOLE_CLIENT_CLI_TESTING_SCREEN_MODEL_H_
#define WORMHOLE_CLIENT_CLI_TESTING_SCREEN_MODEL_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wormhole::cli {

// A terminal that reads UTF-8, of `columns` and as many rows as it takes. It knows CR, LF, BS, BEL,
// HT, ESC [ K and colours; a row that is full goes on in the next one, as on a terminal.
class ScreenModel {
 public:
  explicit ScreenModel(size_t columns) : columns_(columns) {}

  void Write(std::string_view bytes);
  // Without blanks at their ends.
  std::vector<std::string> Rows() const;
  // Whether something came that it does not know: a program that only writes what we mean it to
  // write never does that.
  bool confused() const { return confused_; }

 private:
  using Row = std::vector<std::string>;  // a cell each; the second one of a wide character is empty

  Row& row();
  void Control(char c);
  size_t Escape(std::string_view bytes);
  void Put(std::string_view character, size_t width);

  const size_t columns_;
  std::vector<Row> rows_;
  size_t y_ = 0;
  size_t x_ = 0;
  bool confused_ = false;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_TESTING_SCREEN_MODEL_H_
