// SPDX-License-Identifier: Apache-2.0
// The worker, put together: the only place that names concrete adapters.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "worker/app/settings.h"
#include "worker/ports/log.h"

namespace kalends {

class App {
 public:
  // Opens the data folder (made when missing), its key and database, and binds the address. kConflict:
  // another Kalends works in this folder.
  static Result<std::unique_ptr<App>> open(const Settings& settings, Log& log);
  ~App();

  uint16_t port() const;
  std::string public_url() const;
  // A token for this machine's own commands: the owner's, in a file that only this user can read.
  const std::string& local_token() const;
  // Serves until stop() is called from a signal handler's thread.
  void run();
  void stop();
  // After run(): saves snapshots. The process may end at once then; calls to Google under way are not waited
  // for.
  void close();

 private:
  class Parts;
  explicit App(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Where a running worker of this data folder is reached, and with which token: what `kalends` commands use.
struct LocalServer {
  std::string url;
  std::string token;
};
Result<LocalServer> find_local_server(const std::string& data_dir);

}  // namespace kalends
