-- For wrk: PATCHes of progress, each on another of the jobs. Arguments: a file with a job's id on each line, and the key.
local requests = {}
local at = 0

function init(args)
  for job in io.lines(args[1]) do
    wrk.headers["X-API-Key"] = args[2]
    wrk.headers["Content-Type"] = "application/json"
    local body = '{"status":"running","progress":{"note":"' .. string.rep("x", 49) .. '"}}'
    requests[#requests + 1] = wrk.format("PATCH", "/api/v1/jobs/" .. job, wrk.headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, _)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
  io.write(string.format('{"per_s": %.0f, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests / summary.duration * 1e6, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
