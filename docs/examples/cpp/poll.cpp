// Follows the event feed by polling. Misses nothing, also of what happens while it does not run: it keeps its place in
// a file.
//
//     g++ -std=c++20 -O2 -o poll poll.cpp -lcurl -lPocoJSON -lPocoFoundation
//     CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... ./poll FILE
//
// Needs libcurl and Poco (Debian: libcurl4-openssl-dev, libpoco-dev).

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

using Poco::JSON::Object;

constexpr long wait_s = 60;
constexpr int delay_max_s = 30;

/// Up to where the feed was told. Without an epoch nothing was yet: then it is told from where it begins.
struct Place {
  std::int64_t after = 0;
  std::string epoch;
};

/// Of a page, or of a refusal that says where the feed begins.
Place place_in(const Object& answer, const char* after) {
  return {answer.getValue<std::int64_t>(after), answer.getValue<std::string>("epoch")};
}

Object::Ptr parse(const std::string& text) { return Poco::JSON::Parser().parse(text).extract<Object::Ptr>(); }

Place read_place(const std::string& file) {
  std::ifstream in(file);
  if (!in) return {};
  std::ostringstream text;
  text << in.rdbuf();
  return place_in(*parse(text.str()), "after");
}

/// Whole or not at all, whenever the power goes.
void keep_place(const std::string& file, const Place& place) {
  const std::string text = R"({"after":)" + std::to_string(place.after) + R"(,"epoch":")" + place.epoch + R"("})";
  const std::string fresh = file + ".new";
  const int out = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool kept =
      out >= 0 && ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(out) == 0;
  kept = out >= 0 && ::close(out) == 0 && kept && std::rename(fresh.c_str(), file.c_str()) == 0;
  if (!kept) throw std::system_error(errno, std::generic_category(), file);
}

struct Answer {
  long status = 0;               ///< 0 where none came; then `body` says why
  curl_off_t retry_after_s = 0;  ///< 0 where it does not say
  std::string body;
};

class Feed {
 public:
  Feed(std::string hub, const std::string& key)
      : url_(std::move(hub) + "/api/v1/events?wait=" + std::to_string(wait_s)) {
    headers_ = curl_slist_append(nullptr, ("X-API-Key: " + key).c_str());
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT, wait_s + 15);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &append);
  }
  ~Feed() {
    curl_easy_cleanup(curl_);
    curl_slist_free_all(headers_);
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// The next page as soon as there is something on it, or an empty one after wait_s.
  Answer ask(const Place& place) {
    std::string url = url_;
    if (!place.epoch.empty()) url += "&after=" + std::to_string(place.after) + "&epoch=" + place.epoch;
    Answer answer;
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer.body);
    const CURLcode outcome = curl_easy_perform(curl_);
    if (outcome != CURLE_OK) return {0, 0, curl_easy_strerror(outcome)};
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(curl_, CURLINFO_RETRY_AFTER, &answer.retry_after_s);
    return answer;
  }

 private:
  static std::size_t append(char* data, std::size_t size, std::size_t count, std::string* body) {
    body->append(data, size * count);
    return size * count;
  }

  std::string url_;
  CURL* curl_ = curl_easy_init();
  curl_slist* headers_ = nullptr;
};

void show(const Object& event) {
  const Object::Ptr data = event.getObject("data");
  std::cout << event.getValue<std::int64_t>("seq") << ' ' << event.getValue<std::string>("type") << ' '
            << data->optValue<std::string>("job_id", "-") << ' ';
  Poco::JSON::Stringifier::stringify(data->get("result"), std::cout);
  std::cout << std::endl;
}

void follow(Feed& feed, const std::string& file) {
  std::minstd_rand random(std::random_device{}());
  Place place = read_place(file);
  int delay_s = 1;
  for (;;) {
    const Answer answer = feed.ask(place);
    if (answer.status == 200) {
      const Object::Ptr page = parse(answer.body);
      for (const auto& event : *page->getArray("events")) show(*event.extract<Object::Ptr>());
      place = place_in(*page, "next_after");
      keep_place(file, place);  // behind the work: what a crash cuts off between is told again, and never lost
      delay_s = 1;
    } else if (answer.status == 409 || answer.status == 410) {
      // 410: what comes next is no longer kept. 409: this is another history, from a backup.
      const Object::Ptr problem = parse(answer.body);
      std::cerr << "a gap: " << problem->getValue<std::string>("detail") << std::endl;
      place = place_in(*problem, "begins_after");
    } else if (answer.status >= 400 && answer.status < 500 && answer.status != 429) {
      throw std::runtime_error("the hub refuses: " + std::to_string(answer.status) + " " + answer.body);
    } else {
      std::uniform_int_distribution jittered_ms(500 * delay_s, 1000 * delay_s);
      const std::chrono::milliseconds pause(answer.retry_after_s > 0 ? 1000 * answer.retry_after_s
                                                                     : jittered_ms(random));
      std::cerr << "no answer (" << (answer.status == 0 ? answer.body : std::to_string(answer.status)) << "), again in "
                << pause.count() << " ms" << std::endl;
      std::this_thread::sleep_for(pause);
      delay_s = std::min(2 * delay_s, delay_max_s);
    }
  }
}

int main(int argc, char** argv) try {
  const char* url = std::getenv("CARILLON_URL");
  const char* key = std::getenv("CARILLON_KEY");
  if (argc != 2 || key == nullptr) throw std::invalid_argument("usage: CARILLON_KEY=sk_live_... poll FILE");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Feed feed(url != nullptr ? url : "http://127.0.0.1:8080", key);
  follow(feed, argv[1]);
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
