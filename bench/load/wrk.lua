-- Sends the lines of a file as JSON bodies, one after the other, and prints what was counted.
--
--   wrk -t2 -c64 -d10s -s wrk.lua URL -- FILE
--
-- Every request is put together before the first is sent. There is no response(): it would cost wrk more
-- than all else, and wrk counts bad statuses without it.

local requests, at = {}, 0

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", wrk.path, headers, line)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"bytes":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
