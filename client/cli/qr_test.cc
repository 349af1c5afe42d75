#include "client/cli/qr.h"

#include <qrencode.h>

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

// The modules, true for dark, that someone sees in the blocks.
std::vector<std::vector<bool>> Look(const std::string& picture) {
  std::vector<std::vector<bool>> rows;
  for (size_t i = 0; i < picture.size();) {
    std::vector<bool> upper;
    std::vector<bool> lower;
    for (; picture[i] != '\n';) {
      const bool blank = picture[i] == ' ';
      const std::string block = picture.substr(i, blank ? 1 : 3);
      upper.push_back(blank || block == "\u2584");
      lower.push_back(blank || block == "\u2580");
      i += block.size();
    }
    ++i;
    rows.push_back(upper);
    rows.push_back(lower);
  }
  return rows;
}

absl::StatusOr<std::string> RenderQr(const std::string& text, QrStyle style) {
  absl::StatusOr<QrEncoder> encoder = QrEncoder::Open();
  if (!encoder.ok()) return encoder.status();
  return encoder->Render(text, style);
}

TEST(QrTest, TheBlocksShowTheCodeWithItsQuietZone) {
  const std::string text = "4-purple-sausages";
  absl::StatusOr<std::string> picture = RenderQr(text, QrStyle::kPlain);
  ASSERT_TRUE(picture.ok());
  const std::vector<std::vector<bool>> rows = Look(*picture);
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_M),
      QRcode_free);
  ASSERT_NE(code, nullptr);
  const int width = code->width;
  ASSERT_GE(static_cast<int>(rows.size()), width + 8);
  for (int y = -4; y < width + 4; ++y) {
    ASSERT_EQ(static_cast<int>(rows[y + 4].size()), width + 8);
    for (int x = -4; x < width + 4; ++x) {
      const bool inside = x >= 0 && y >= 0 && x < width && y < width;
      const bool dark = inside && (code->data[y * width + x] & 1) != 0;
      EXPECT_EQ(rows[y + 4][x + 4], dark) << x << "," << y;
    }
  }
  EXPECT_TRUE(rows[4][4] && !rows[5][5] && rows[6][6]);  // a finder's corner
}

TEST(QrTest, ColoursAreResetOnEachLine) {
  const std::string picture = *RenderQr("4-purple-sausages", QrStyle::kColoured);
  for (size_t end = picture.find('\n'); end != std::string::npos;
       end = picture.find('\n', end + 1)) {
    EXPECT_EQ(picture.substr(end - 4, 4), "\x1b[0m");
  }
}

TEST(QrTest, WithoutUtf8ItIsMadeOfBlanks) {
  const std::string picture = *RenderQr("4-purple-sausages", QrStyle::kBlanks);
  const std::string light = "\x1b[107m  ";
  const std::string dark = "\x1b[40m  ";
  std::vector<std::vector<bool>> rows(1);
  for (size_t at = 0; at < picture.size();) {
    if (picture.compare(at, light.size(), light) == 0) {
      rows.back().push_back(false);
      at += light.size();
    } else if (picture.compare(at, dark.size(), dark) == 0) {
      rows.back().push_back(true);
      at += dark.size();
    } else {
      ASSERT_EQ(picture.substr(at, 5), "\x1b[0m\n");
      rows.emplace_back();
      at += 5;
    }
  }
  rows.pop_back();
  const std::vector<std::vector<bool>> blocks =
      Look(*RenderQr("4-purple-sausages", QrStyle::kPlain));
  ASSERT_LE(rows.size(), blocks.size());  // half blocks may have a row too many
  for (size_t y = 0; y < rows.size(); ++y) EXPECT_EQ(rows[y], blocks[y]) << y;
}

TEST(QrTest, WhatNoQrCodeHolds) {
  EXPECT_EQ(RenderQr("", QrStyle::kPlain).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RenderQr(std::string(5000, 'a'), QrStyle::kPlain).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(QrTest, WithoutTheLibraryItSaysWhatToInstall) {
  const absl::Status missing = QrEncoder::Open("libqrencode-of-nobody.so.4").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      missing.message(),
      "install libqrencode (package libqrencode4 on Debian) to see QR codes: "
      "libqrencode-of-nobody.so.4: cannot open shared object file: No such file or directory");
  const absl::Status another = QrEncoder::Open("libm.so.6").status();
  EXPECT_EQ(another.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(another.message().find("undefined symbol: QRcode_"), std::string::npos);
}

}  // namespace
}  // namespace wormhole::cli
