#include "tests/faults/front_proxy.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace wormhole::faults {
namespace {

constexpr char kHaproxyConfig[] = R"(
defaults
  mode http
  timeout connect 5s
  timeout client IDLEs
  timeout server IDLEs
frontend clients
  bind ADDRESS proto h2
  default_backend relays
backend relays
  server relay RELAY proto h2
)";

// One process, which dies with the test; a master's workers would stay.
constexpr char kNginxConfig[] = R"(
daemon off;
master_process off;
pid FOLDER/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  server {
    listen ADDRESS http2;
    client_body_timeout IDLEs;
    client_max_body_size 0;
    location / {
      grpc_pass grpc://RELAY;
      grpc_read_timeout IDLEs;
      grpc_send_timeout IDLEs;
    }
  }
}
)";

}  // namespace

const char* FrontProxy::NameOf(Kind kind) { return kind == Kind::kHaproxy ? "haproxy" : "nginx"; }

bool FrontProxy::Exists(Kind kind) {
  return access(absl::StrCat("/usr/sbin/", NameOf(kind)).c_str(), X_OK) == 0;
}

FrontProxy::FrontProxy(Kind kind, const std::string& folder, const std::string& relay,
                       int idle_seconds) {
  std::filesystem::create_directories(folder);
  const std::string config = folder + "/config";
  std::ofstream(config) << absl::StrReplaceAll(
      kind == Kind::kHaproxy ? kHaproxyConfig : kNginxConfig, {{"IDLE", absl::StrCat(idle_seconds)},
                                                               {"ADDRESS", address()},
                                                               {"RELAY", relay},
                                                               {"FOLDER", folder}});
  std::vector<std::string> arguments = {absl::StrCat("/usr/sbin/", NameOf(kind))};
  if (kind == Kind::kHaproxy) {
    arguments.insert(arguments.end(), {"-db", "-f", config});
  } else {
    arguments.insert(arguments.end(), {"-p", folder, "-e", "stderr", "-c", config});
  }
  child_ = std::make_unique<testing::ChildProcess>(
      testing::ChildProcess::Options{.arguments = std::move(arguments)});
}

std::string FrontProxy::Stop() {
  child_->Signal(SIGKILL);
  child_->WaitForExit();
  return child_->err();
}

}  // namespace wormhole::faults
