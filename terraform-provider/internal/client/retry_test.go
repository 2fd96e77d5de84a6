// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// script answers with one entry after the other: a status, or 0 for a broken connection.
type script struct {
	statuses []int
	header   http.Header
	bodies   []string
}

func (s *script) RoundTrip(request *http.Request) (*http.Response, error) {
	body := ""
	if request.Body != nil {
		raw, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	s.bodies = append(s.bodies, body)

	status := s.statuses[min(len(s.bodies), len(s.statuses))-1]
	if status == 0 {
		return nil, errors.New("connection reset by peer")
	}

	return &http.Response{
		StatusCode: status, Header: s.header.Clone(), Body: io.NopCloser(strings.NewReader("")), Request: request,
	}, nil
}

func TestRetryRepeatsOnlyWhatCannotTakeEffectTwice(t *testing.T) {
	key := http.Header{"Idempotency-Key": {"one"}}
	match := http.Header{"If-Match": {`"7"`}}
	tests := map[string]struct {
		method   string
		header   http.Header
		statuses []int
		attempts int
		status   int // 0: an error
	}{
		"a good answer is final":                        {http.MethodGet, nil, []int{200}, 1, 200},
		"a refusal is final":                            {http.MethodGet, nil, []int{404, 200}, 1, 404},
		"a read survives a broken connection":           {http.MethodGet, nil, []int{0, 200}, 2, 200},
		"a create with a key survives it":               {http.MethodPost, key, []int{0, 201}, 2, 201},
		"a create without a key does not":               {http.MethodPost, nil, []int{0, 201}, 1, 0},
		"a replacement does not":                        {http.MethodPut, match, []int{0, 200}, 1, 0},
		"a delete does":                                 {http.MethodDelete, nil, []int{0, 204}, 2, 204},
		"a conditional delete does not":                 {http.MethodDelete, match, []int{0, 204}, 1, 0},
		"503 is repeated for a replacement":             {http.MethodPut, match, []int{503, 503, 200}, 3, 200},
		"429 is repeated for a create without a key":    {http.MethodPost, nil, []int{429, 201}, 2, 201},
		"502 is not repeated for a change":              {http.MethodPatch, nil, []int{502, 200}, 1, 502},
		"504 is repeated for a create with a key":       {http.MethodPost, key, []int{504, 201}, 2, 201},
		"an outage that lasts is answered in the end":   {http.MethodGet, nil, []int{503}, maxAttempts, 503},
		"a broken connection that lasts is, in the end": {http.MethodGet, nil, []int{0}, maxAttempts, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			next := &script{statuses: test.statuses}
			transport := &retryTransport{next: next, now: time.Now, sleep: func(context.Context, time.Duration) error { return nil }}
			request := newRequest(t, test.method, test.header)

			response, err := transport.RoundTrip(request)

			if len(next.bodies) != test.attempts {
				t.Errorf("%d attempts, expected %d", len(next.bodies), test.attempts)
			}
			for _, body := range next.bodies {
				if body != "the body" {
					t.Errorf("sent %q, expected the whole body each time", body)
				}
			}
			if test.status == 0 {
				if err == nil {
					t.Error("no error, expected one")
				}

				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("status %d, expected %d", response.StatusCode, test.status)
			}
		})
	}
}

func TestRetryWaitsAsLongAsTheServiceAsks(t *testing.T) {
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]struct {
		retryAfter string
		least      time.Duration
		most       time.Duration
		attempts   int
	}{
		"seconds":                          {"7", 7 * time.Second, 7 * time.Second, 2},
		"a date":                           {clock.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second, 9 * time.Second, 2},
		"nothing: the own pause":           {"", firstBackoff / 2, firstBackoff, 2},
		"nonsense: the own pause":          {"soon", firstBackoff / 2, firstBackoff, 2},
		"less than the own pause":          {"0", firstBackoff / 2, firstBackoff, 2},
		"too long: the user is told now":   {"3600", 0, 0, 1},
		"a date in the past: no long wait": {clock.Add(-time.Hour).Format(http.TimeFormat), firstBackoff / 2, firstBackoff, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var pauses []time.Duration
			next := &script{statuses: []int{503, 200}, header: http.Header{"Retry-After": {test.retryAfter}}}
			transport := &retryTransport{
				next: next,
				now:  func() time.Time { return clock },
				sleep: func(_ context.Context, pause time.Duration) error {
					pauses = append(pauses, pause)

					return nil
				},
			}

			response, err := transport.RoundTrip(newRequest(t, http.MethodGet, nil))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()

			if len(next.bodies) != test.attempts {
				t.Fatalf("%d attempts, expected %d", len(next.bodies), test.attempts)
			}
			if test.attempts > 1 && (pauses[0] < test.least || pauses[0] > test.most) {
				t.Errorf("waited %s, expected %s to %s", pauses[0], test.least, test.most)
			}
		})
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	next := &script{statuses: []int{503}}
	transport := &retryTransport{next: next, now: time.Now, sleep: func(ctx context.Context, pause time.Duration) error {
		cancel()

		return sleepContext(ctx, pause)
	}}

	response, err := transport.RoundTrip(newRequest(t, http.MethodGet, nil).WithContext(ctx))
	if err == nil {
		defer response.Body.Close()
	}

	if !errors.Is(err, context.Canceled) || len(next.bodies) != 1 {
		t.Errorf("%d attempts and error %v, expected one attempt and the context's end", len(next.bodies), err)
	}
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	var longest []time.Duration
	for attempt := 1; attempt < maxAttempts; attempt++ {
		most := time.Duration(0)
		for range 200 {
			most = max(most, backoff(attempt))
		}
		longest = append(longest, most)
	}

	if !slices.IsSorted(longest[:5]) || longest[len(longest)-1] > longestBackoff {
		t.Errorf("pauses %v do not grow to at most %s", longest, longestBackoff)
	}
}

func newRequest(t *testing.T, method string, header http.Header) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://weir.example/v1/x", strings.NewReader("the body"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}

	return request
}
