-- Sixteen requests in one write; wrk counts each of their responses.
init = function(args)
    local requests = {}
    for i = 1, 16 do requests[i] = wrk.format("GET", "/plaintext") end
    batch = table.concat(requests)
end

request = function() return batch end
