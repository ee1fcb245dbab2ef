// Package interop has no code of its own. Its Examples put other people's code
// above and below the stack of okru, and its tests check it there. Above
// is what takes okru's client or transport; below is Config.Base.
//
//	peer                          place   mind
//	resty v2                      above   leave its retries off
//	resty v3                      above   the same, and hedging; without SetResult close Response.Body
//	oapi-codegen                  above   no security scheme in the document: the client signs
//	go-cleanhttp                  below   the pooled transport
//	otelhttp                      above   below, spans have signed URLs, sessions in them
//	promhttp                      either  above it counts calls, below attempts; errors nowhere
//	httpcache                     above   one per user: it knows no sessions. Below, its keys have them
//	go-vcr                        either  with the hook and the matcher of package okvcr
//	failsafe-go: breaker          below   keep Retry.If from trying an open one; writes by POST
//	failsafe-go: timeout, bulkhead  above   its errors are not those of contexts
//	failsafe-go: hedge            above   reads only
//	failsafe-go: retry            neither okru repeats by itself, and only what is safe
//	httputil.ReverseProxy         above   Config.PassErrors; pass on no cookies and no Authorization
//	go-retryablehttp: client      above   RetryMax 0, or attempts multiply and writes are repeated
//	go-retryablehttp: policies    inside  transport.Retry has fields for them
//
// # What is checked
//
// Through each peer but the proxy, TestContract checks that API errors are
// found by errors.AsType and errors.Is, that the bodies of responses are closed,
// that a call ends with its context, and that a write whose connection breaks
// is not sent again. A proxy passes API errors on as responses.
//
// # What does not
//
// CloseIdleConnections of net/http goes from layer to layer, and ends at the
// first that does not know it: otelhttp, promhttp, httpcache, go-vcr,
// failsafe-go and go-retryablehttp. Keep the client or the transport below them
// and call it there. The clients of resty and oapi-codegen are plain ones over
// ours, and lead to it.
//
// Failsafe-go and go-retryablehttp read the body of a request and never close
// it. That matters for bodies of files; forms from net/http's own constructors
// lose nothing.
package interop
