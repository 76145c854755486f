// SPDX-License-Identifier: Apache-2.0
// Every `kalends` command but serve: a client of the worker that runs in the data folder (or at --server); backup
// and restore work in the folder itself.
#pragma once

#include <memory>

#include "worker/app/settings.h"

namespace CLI {
class App;
}

namespace kalends {

class Commands {
 public:
  // Puts the commands on `app`; both must outlive this.
  Commands(CLI::App& app, const Settings& settings);
  ~Commands();
  // Runs the one that was parsed. The exit code: 0 done, 1 refused (the reason is printed), 2 wrongly called.
  int run();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kalends
