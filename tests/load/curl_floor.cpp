// curl_floor: what the same requests cost libcurl alone. Sends so many POSTs of a webhook's size through one multi
// handle, so many at a time, and prints its own CPU time for each as JSON: nothing is stored, signed or tried again.
//
//   curl_floor PORT COUNT [IN_FLIGHT [BODY_BYTES]]
//
// Threads: one.
#include <curl/curl.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr int usual_body_bytes = 400;

std::size_t drop(char*, std::size_t, std::size_t bytes, void*) { return bytes; }

double cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "curl_floor PORT COUNT [IN_FLIGHT [BODY_BYTES]]\n");
    return 2;
  }
  const std::string url = std::string("http://127.0.0.1:") + argv[1] + "/floor";
  const int count = std::atoi(argv[2]);
  const int in_flight = argc > 3 ? std::atoi(argv[3]) : 64;
  const std::string body(static_cast<std::size_t>(argc > 4 ? std::atoi(argv[4]) : usual_body_bytes), 'x');
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* const multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(in_flight));
  curl_slist* fields = nullptr;
  for (const char* line : {"content-type: application/json", "webhook-timestamp: 1674087231",
                           "expect:", "webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}) {
    fields = curl_slist_append(fields, line);
  }
  int begun = 0;
  for (; begun < in_flight && begun < count; ++begun) {
    CURL* const request = curl_easy_init();
    curl_easy_setopt(request, CURLOPT_URL, url.c_str());
    curl_easy_setopt(request, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(request, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(request, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, &drop);
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_multi_add_handle(multi, request);
  }
  int failed = 0;
  for (int done = 0, running = 0; done < count;) {
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      CURL* const request = message->easy_handle;
      if (message->data.result != CURLE_OK) ++failed;
      ++done;
      curl_multi_remove_handle(multi, request);
      if (begun < count) {
        ++begun;
        curl_multi_add_handle(multi, request);
      } else {
        curl_easy_cleanup(request);
      }
    }
    if (done < count) curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  std::printf("{\"count\": %d, \"failed\": %d, \"cpu_us_per_request\": %.2f}\n", count, failed, cpu_us() / count);
  curl_slist_free_all(fields);
  curl_multi_cleanup(multi);
  curl_global_cleanup();
  return failed == 0 ? 0 : 1;
}
