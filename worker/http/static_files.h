// SPDX-License-Identifier: Apache-2.0
// The built web page. All files are read once, when the server starts: what is not in that list does not
// exist, so no request can reach another file of the machine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "worker/http/request.h"

namespace kalends {

class StaticFiles {
 public:
  // kInvalid: no folder, no index.html in it, more than 4,096 files or 128 MB. Links and hidden files are
  // left out.
  static Result<StaticFiles> load(const std::string& folder);

  // Answers GET and HEAD: a file of the list, or the page for addresses of the page's own ("/board/7": no dot
  // in the last segment, asked for as HTML). nullopt: not for us.
  std::optional<HttpResponse> answer(const InboundRequest& request) const;
  size_t count() const { return files_.size(); }

 private:
  struct File {
    std::string content;
    std::string content_type;
    std::string etag;
    bool is_immutable = false;  // its name holds a hash of its content
  };
  HttpResponse file_response(const File& file, const InboundRequest& request) const;

  std::map<std::string, File, std::less<>> files_;  // by path, "/assets/app.js"
};

// By the name's ending; "application/octet-stream" for unknown ones.
std::string_view content_type_of(std::string_view path);

}  // namespace kalends
