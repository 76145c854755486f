// SPDX-License-Identifier: Apache-2.0
#include "worker/http/static_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "worker/base/encoding.h"
#include "worker/base/sha256.h"
#include "worker/base/url.h"
#include "worker/http/security_headers.h"

namespace kalends {
namespace {

constexpr size_t kFilesMax = 4'096;
constexpr uintmax_t kBytesMax = 128 * 1024 * 1024;

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kContentTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".txt", "text/plain; charset=utf-8"},
    {".xml", "application/xml"},
}};

std::string_view last_segment(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_hidden(const std::filesystem::path& relative) {
  for (const auto& part : relative) {
    if (part.string().starts_with(".")) return true;
  }
  return false;
}

// If-None-Match: a list of tags or "*"; weak ones count as equal here.
bool has_tag(std::string_view list, std::string_view etag) {
  return list == "*" || list.find(etag) != std::string_view::npos;
}

}  // namespace

std::string_view content_type_of(std::string_view path) {
  std::string_view name = last_segment(path);
  size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const auto& [ending, type] : kContentTypes) {
      if (equals_ignoring_case(name.substr(dot), ending)) return type;
    }
  }
  return "application/octet-stream";
}

Result<StaticFiles> StaticFiles::load(const std::string& folder) {
  namespace fs = std::filesystem;
  StaticFiles files;
  std::error_code problem;
  uintmax_t total = 0;
  fs::recursive_directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    std::error_code ignored;
    fs::path relative = entry->path().lexically_relative(folder);
    if (entry->is_symlink(ignored) || !entry->is_regular_file(ignored) || is_hidden(relative)) continue;
    total += entry->file_size(ignored);
    if (files.files_.size() == kFilesMax || total > kBytesMax) {
      return invalid(folder + " holds more than a web page: at most 4096 files and 128 MB are served");
    }
    std::ifstream stream(entry->path(), std::ios::binary);
    File file;
    file.content.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    if (!stream) return invalid(entry->path().string() + " cannot be read");
    std::string path = "/" + relative.generic_string();
    file.content_type = content_type_of(path);
    file.etag = "\"" + base64url_encode(ByteView(sha256(as_bytes(file.content))).first(16)) + "\"";
    // Vite names the files of this folder by a hash of their content.
    file.is_immutable = path.starts_with("/assets/");
    files.files_.emplace(std::move(path), std::move(file));
  }
  if (problem) return invalid(folder + " cannot be read: " + problem.message());
  if (!files.files_.contains("/index.html")) return invalid(folder + " holds no index.html");
  return files;
}

HttpResponse StaticFiles::file_response(const File& file, const InboundRequest& request) const {
  HttpResponse response;
  response.headers.add("ETag", file.etag);
  response.headers.add("Cache-Control",
                       file.is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (file.content_type.starts_with("text/html")) {
    response.headers.add("Content-Security-Policy", std::string(kPageContentPolicy));
  } else if (file.content_type.starts_with("text/javascript")) {
    // Workers take their policy from their own script.
    response.headers.add("Content-Security-Policy", std::string(kPageContentPolicy));
  }
  if (has_tag(request.headers.get("If-None-Match"), file.etag)) {
    response.status = 304;
    return response;
  }
  response.status = 200;
  response.headers.add("Content-Type", file.content_type);
  response.body = file.content;
  return response;
}

std::optional<HttpResponse> StaticFiles::answer(const InboundRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  auto path = percent_decode(request.path);
  if (!path) return std::nullopt;
  auto file = files_.find(*path == "/" ? "/index.html" : std::string_view(*path));
  if (file != files_.end()) return file_response(file->second, request);
  bool is_page = last_segment(*path).find('.') == std::string_view::npos &&
                 request.headers.get("Accept").find("text/html") != std::string_view::npos;
  if (!is_page) return std::nullopt;
  return file_response(files_.at("/index.html"), request);
}

}  // namespace kalends
