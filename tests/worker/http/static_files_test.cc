// SPDX-License-Identifier: Apache-2.0
#include "worker/http/static_files.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/worker/temporary_folder.h"

namespace kalends {
namespace {

struct PageFixture {
  TemporaryFolder folder;

  PageFixture() {
    write("index.html", "<html>page</html>");
    write("assets/app-1a2b.js", "run()");
    write("core.wasm", "wasm");
    write(".secret", "hidden");
    write(".git/config", "hidden");
    std::filesystem::create_symlink("/etc/passwd", folder.path() + "/passwd.txt");
  }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::path path = folder.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  static InboundRequest get(const std::string& path, const std::string& accept = "*/*") {
    InboundRequest request;
    request.method = "GET";
    request.path = path;
    request.headers.add("Accept", accept);
    return request;
  }
};

TEST_CASE_METHOD(PageFixture, "Files are served with their type, their tag and how long they may be kept") {
  StaticFiles files = StaticFiles::load(folder.path()).value();
  CHECK(files.count() == 3);
  HttpResponse page = files.answer(get("/")).value();
  CHECK(page.status == 200);
  CHECK(page.body == "<html>page</html>");
  CHECK(page.headers.get("Content-Type") == "text/html; charset=utf-8");
  CHECK(page.headers.get("Cache-Control") == "no-cache");
  CHECK(page.headers.get("Content-Security-Policy").find("'wasm-unsafe-eval'") != std::string::npos);
  CHECK(page.headers.get("Content-Security-Policy").find("'unsafe-eval'") == std::string::npos);
  CHECK(files.answer(get("/core.wasm")).value().headers.get("Content-Type") == "application/wasm");
  HttpResponse script = files.answer(get("/assets/app-1a2b.js")).value();
  CHECK(script.headers.get("Content-Type") == "text/javascript; charset=utf-8");
  CHECK(script.headers.get("Cache-Control") == "public, max-age=31536000, immutable");
}

TEST_CASE_METHOD(PageFixture, "A file that the browser has is not sent again") {
  StaticFiles files = StaticFiles::load(folder.path()).value();
  InboundRequest request = get("/");
  std::string etag(files.answer(request).value().headers.get("ETag"));
  CHECK(etag.size() == 24);
  request.headers.add("If-None-Match", "W/\"x\", " + etag);
  HttpResponse unchanged = files.answer(request).value();
  CHECK(unchanged.status == 304);
  CHECK(unchanged.body.empty());
  CHECK(unchanged.headers.get("ETag") == etag);
}

TEST_CASE_METHOD(PageFixture, "Addresses of the page's own give the page, to browsers only") {
  StaticFiles files = StaticFiles::load(folder.path()).value();
  CHECK(files.answer(get("/board/7", "text/html,*/*")).value().body == "<html>page</html>");
  CHECK_FALSE(files.answer(get("/board/7")));
  CHECK_FALSE(files.answer(get("/missing.js", "text/html")));
  InboundRequest post = get("/");
  post.method = "POST";
  CHECK_FALSE(files.answer(post));
}

TEST_CASE_METHOD(PageFixture, "Nothing outside the list can be reached") {
  StaticFiles files = StaticFiles::load(folder.path()).value();
  for (const char* path : {"/.secret", "/.git/config", "/passwd.txt", "/../index.html", "/%2e%2e/etc/passwd",
                           "/..%2f..%2fetc%2fpasswd", "/assets", "/assets/", "//index.html", "/index.html%00",
                           "/assets/../.secret", "\\..\\etc"}) {
    CAPTURE(path);
    CHECK_FALSE(files.answer(get(path)));
  }
}

TEST_CASE("A folder without a page is refused") {
  TemporaryFolder folder;
  CHECK(StaticFiles::load(folder.path()).error().code == ErrorCode::kInvalid);
  CHECK(StaticFiles::load(folder.path() + "/none").error().code == ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kalends
