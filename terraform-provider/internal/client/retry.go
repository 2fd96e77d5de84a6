// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	idempotencyKeyHeader = "Idempotency-Key"

	maxAttempts    = 8
	firstBackoff   = 250 * time.Millisecond
	longestBackoff = 10 * time.Second
	// A server may ask for any pause; beyond this one it is better to tell the user.
	longestRetryAfter = 2 * time.Minute
)

// retryTransport repeats requests that the service turned away for the moment.
//
// 429 and 503 are repeated for every method: the service answers them before it changes anything. After a
// broken connection, a 502 or a 504 nobody knows whether the request took effect, so only those are
// repeated that cannot take effect twice: reads, deletes, and creates that carry an idempotency key.
type retryTransport struct {
	next  http.RoundTripper
	sleep func(ctx context.Context, pause time.Duration) error
	now   func() time.Time
}

var _ http.RoundTripper = (*retryTransport)(nil)

func newRetryTransport(next http.RoundTripper) *retryTransport {
	return &retryTransport{next: next, sleep: sleepContext, now: time.Now}
}

// RoundTrip sends the request, at most maxAttempts times. It never changes the caller's request.
func (t *retryTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		try, err := rewound(request, attempt)
		if err != nil {
			return nil, err
		}

		response, err := t.next.RoundTrip(try)
		if attempt == maxAttempts || !shouldRetry(request, response, err) {
			return response, err
		}

		pause := backoff(attempt)
		if response != nil {
			asked, ok := retryAfter(response.Header.Get("Retry-After"), t.now())
			if ok && asked > longestRetryAfter {
				return response, nil
			}
			if ok && asked > pause {
				pause = asked
			}
			// The connection can be used again only when the body has been read.
			_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
			_ = response.Body.Close()
		}
		if err := t.sleep(request.Context(), pause); err != nil {
			return nil, fmt.Errorf("waiting to repeat %s %s: %w", request.Method, request.URL.Path, err)
		}
	}
}

func rewound(request *http.Request, attempt int) (*http.Request, error) {
	if attempt == 1 {
		return request, nil
	}
	again := request.Clone(request.Context())
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, fmt.Errorf("reading the request's body again: %w", err)
		}
		again.Body = body
	}

	return again, nil
}

func shouldRetry(request *http.Request, response *http.Response, err error) bool {
	if request.Body != nil && request.Body != http.NoBody && request.GetBody == nil {
		return false
	}
	if err != nil {
		return request.Context().Err() == nil && !errors.Is(err, context.Canceled) && harmlessTwice(request)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return harmlessTwice(request)
	default:
		return false
	}
}

func harmlessTwice(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodDelete:
		// With a precondition the second answer would be 412 or 404 although the first one worked.
		return request.Header.Get("If-Match") == ""
	case http.MethodPost:
		return request.Header.Get(idempotencyKeyHeader) != ""
	default:
		return false
	}
}

// backoff doubles with each attempt and spreads over the upper half, so that clients which failed together
// do not come back together.
func backoff(attempt int) time.Duration {
	pause := min(firstBackoff<<(attempt-1), longestBackoff)

	return pause/2 + rand.N(pause/2+1)
}

// retryAfter reads both forms of the header: seconds, or an HTTP date.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0), true
	}

	return 0, false
}

func sleepContext(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
