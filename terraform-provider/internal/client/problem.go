// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Problem is an answer of the API that says why a request failed (RFC 9457).
type Problem struct {
	Status int     `json:"status"`
	Title  string  `json:"title"`
	Detail string  `json:"detail"`
	Code   string  `json:"code"`
	Errors []Fault `json:"errors"`
}

// Fault is one thing wrong with a request's body; Pointer is a JSON Pointer to it.
type Fault struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

var _ error = (*Problem)(nil)

func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString(p.Summary())
	for _, fault := range p.Errors {
		fmt.Fprintf(&text, "\n  %s: %s", fault.Pointer, fault.Text())
	}

	return text.String()
}

// Summary says what went wrong as a whole, without the single faults.
func (p *Problem) Summary() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if text == "" {
		text = http.StatusText(p.Status)
	}
	if p.Code == "" {
		return fmt.Sprintf("%s (status %d)", text, p.Status)
	}

	return fmt.Sprintf("%s (%s)", text, p.Code)
}

// Text says what is wrong, with the code by which documentation and support know it.
func (f Fault) Text() string {
	switch {
	case f.Code == "":
		return f.Detail
	case f.Detail == "":
		return f.Code
	default:
		return fmt.Sprintf("%s (%s)", f.Detail, f.Code)
	}
}

// IsNotFound says that the API answered 404: the resource is gone, or was never this project's.
func IsNotFound(err error) bool { return hasStatus(err, http.StatusNotFound) }

// IsPreconditionFailed says that the resource changed since the version named in If-Match.
func IsPreconditionFailed(err error) bool { return hasStatus(err, http.StatusPreconditionFailed) }

func hasStatus(err error, status int) bool {
	var problem *Problem

	return errors.As(err, &problem) && problem.Status == status
}

// check turns an answer outside 2xx into a *Problem.
func check(response *http.Response, body []byte) error {
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return nil
	}

	problem := &Problem{}
	// Something between us and the API may answer with a page of its own.
	if err := json.Unmarshal(body, problem); err != nil {
		problem = &Problem{Title: "unexpected answer from " + response.Request.URL.Host}
	}
	problem.Status = response.StatusCode

	return problem
}
