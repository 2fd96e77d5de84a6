// SPDX-License-Identifier: Apache-2.0

// Package client reaches the Weir API: generated calls, plus what every call shares: tokens, retries,
// idempotency keys, errors as values, and waiting until the edge runs what was asked.
package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

const (
	// One HTTP exchange; the pauses between repeated ones are not part of it.
	exchangeTimeout = 30 * time.Second
	// A token is renewed this long before it ends, to cover clocks that differ and requests under way.
	tokenLeeway = 30 * time.Second
)

// Config says where the API is and who asks.
type Config struct {
	Endpoint     string // base address, without /v1
	TokenURL     string // the identity provider's token endpoint
	ClientID     string
	ClientSecret string
	ProjectID    string
	UserAgent    string
}

// Client calls the API for one project as one service account. Safe for concurrent use.
type Client struct {
	API       *generated.ClientWithResponses
	ProjectID string
}

// New checks the configuration and prepares a client. It opens no connection; a wrong secret shows at the
// first call, as a *TokenError.
func New(config Config) (*Client, error) {
	for _, address := range []string{config.Endpoint, config.TokenURL} {
		parsed, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("reading the address %q: %w", address, err)
		}
		if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
			return nil, fmt.Errorf("the address %q must start with http:// or https://", address)
		}
	}

	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	transport.ResponseHeaderTimeout = exchangeTimeout
	retrying := newRetryTransport(transport)

	credentials := &clientcredentials.Config{
		ClientID:     config.ClientID,
		ClientSecret: config.ClientSecret,
		TokenURL:     config.TokenURL,
	}
	// The library offers no other way to choose the HTTP client that fetches tokens.
	tokenContext := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{
		Transport: retrying,
		Timeout:   2 * exchangeTimeout,
	})
	tokens := oauth2.ReuseTokenSourceWithExpiry(nil, credentials.TokenSource(tokenContext), tokenLeeway)

	api, err := generated.NewClientWithResponses(
		config.Endpoint,
		generated.WithHTTPClient(&http.Client{Transport: &authorizedTransport{next: retrying, tokens: tokens}}),
		generated.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("User-Agent", config.UserAgent)

			return nil
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the API client: %w", err)
	}

	return &Client{API: api, ProjectID: config.ProjectID}, nil
}

// TokenError means that no access token could be had, so that the API was not asked at all.
type TokenError struct{ Cause error }

func (e *TokenError) Error() string { return "getting an access token: " + e.Cause.Error() }

// Unwrap returns what the identity provider or the network answered.
func (e *TokenError) Unwrap() error { return e.Cause }

// authorizedTransport adds the access token, outside the retries: repeated requests share one token.
type authorizedTransport struct {
	next   http.RoundTripper
	tokens oauth2.TokenSource
}

func (t *authorizedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := t.tokens.Token()
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}

		return nil, &TokenError{Cause: describeTokenError(err)}
	}
	authorized := request.Clone(request.Context())
	token.SetAuthHeader(authorized)

	return t.next.RoundTrip(authorized)
}

// describeTokenError keeps the identity provider's answer and leaves out the response's body, which may
// be a whole page.
func describeTokenError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" {
		return fmt.Errorf("%s %s", refused.ErrorCode, refused.ErrorDescription)
	}

	return err
}
