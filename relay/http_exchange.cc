#include "relay/http_exchange.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

// Prometheus' text format.
constexpr char kPageType[] = "text/plain; version=0.0.4; charset=utf-8";

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

std::string Answer(const char* status, const char* type, const std::string& body, bool with_body) {
  return absl::StrCat(
      "HTTP/1.1 ", status, "\r\nContent-Type: ", type, "\r\nContent-Length: ", body.size(),
      "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n", with_body ? body : "");
}

std::string Refusal(const char* status) {
  return Answer(status, "text/plain; charset=utf-8", absl::StrCat(status, "\n"), true);
}

// `head`: the request line and the headers, of which only the former matters.
std::string AnswerTo(std::string_view head, const std::string& path,
                     const HttpExchange::Page& page) {
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  // Without a space both are npos.
  if (first == last || !line.substr(last).starts_with(" HTTP/1.")) {
    return Refusal("400 Bad Request");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (method != "GET" && method != "HEAD") return Refusal("405 Method Not Allowed");
  if (target.substr(0, target.find('?')) != path) return Refusal("404 Not Found");
  return Answer("200 OK", kPageType, page(), method == "GET");
}

}  // namespace

HttpExchange::HttpExchange(int socket, Deadline deadline) : socket_(socket), deadline_(deadline) {}

HttpExchange::~HttpExchange() { close(socket_); }

bool HttpExchange::Advance(const std::string& path, const Page& page) {
  if (!answering()) {
    const bool more_may_come = Read();
    const size_t end = request_.find("\r\n\r\n");
    if (end != std::string::npos) {
      answer_ = AnswerTo(std::string_view(request_).substr(0, end), path, page);
    } else if (request_.size() >= kMaxHttpRequest) {
      answer_ = Refusal("431 Request Header Fields Too Large");
    } else {
      return more_may_come;
    }
  }
  return Write();
}

bool HttpExchange::Read() {
  std::array<char, kMaxHttpRequest> buffer;
  while (request_.size() < kMaxHttpRequest) {
    const ssize_t size = recv(socket_, buffer.data(), kMaxHttpRequest - request_.size(), 0);
    if (size > 0) {
      request_.append(buffer.data(), static_cast<size_t>(size));
    } else if (size == 0) {
      return false;
    } else if (errno != EINTR) {
      return WouldBlock(errno);
    }
  }
  return true;
}

bool HttpExchange::Write() {
  while (written_ < answer_.size()) {
    const ssize_t size =
        send(socket_, answer_.data() + written_, answer_.size() - written_, MSG_NOSIGNAL);
    if (size >= 0) {
      written_ += static_cast<size_t>(size);
    } else if (errno != EINTR) {
      return WouldBlock(errno);
    }
  }
  return false;
}

}  // namespace wormhole::relay
