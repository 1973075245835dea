package exam

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// api is the sandbox's, https://…/api/v1.
type api struct {
	base, token string
	transport   *http.Transport
	http        *http.Client
}

func newAPI(o Options) (*api, error) {
	t, err := Transport(o.CA)
	if err != nil {
		return nil, err
	}
	return &api{base: strings.TrimRight(o.API, "/"), token: o.Token, transport: t, http: &http.Client{Transport: t, Timeout: time.Minute}}, nil
}

// Transport trusts the authorities of a PEM file besides the system's.
func Transport(ca []byte) (*http.Transport, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if len(ca) > 0 && !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA file holds no certificate in PEM")
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 8}, nil
}

func (a *api) get(ctx context.Context, path string, into any) error {
	return a.send(ctx, http.MethodGet, path, nil, into)
}

// apiError is a refusal, RFC 9457.
type apiError struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.Status, e.Detail) }

// refused says whether the sandbox said no, and not that it could not answer.
func refused(err error) bool {
	var e *apiError
	return errors.As(err, &e) && e.Status < http.StatusInternalServerError
}

func (a *api) send(ctx context.Context, method, path string, body, into any) error {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return fmt.Errorf("the sandbox's API does not answer at %s: %w", a.base, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		e := &apiError{Status: resp.StatusCode}
		if json.Unmarshal(answer, e) != nil {
			e.Detail = http.StatusText(resp.StatusCode)
		}
		return e
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// record is what the sandbox kept of a login.
type record struct {
	ID       string
	ClientID string `json:"client_id"`
	Result   string
	Steps    []step
}

type step struct {
	Kind, Path, Error, Detail string
	Status                    int
	Request                   []struct{ Name, Value string }
	Checks                    []struct {
		Name, Detail string
		OK           bool
	}
}

// record reads one, waiting until enough says yes or five seconds are over.
func (e *examiner) record(ctx context.Context, login string, enough func(*record) bool) (*record, error) {
	if login == "" {
		return nil, errors.New("there was no login")
	}
	r := &record{}
	for steps, end := 0, e.now().Add(5*time.Second); ; steps = len(r.Steps) {
		path := "/logins/" + url.PathEscape(login)
		if steps > 0 {
			path += "?wait=1s&steps=" + strconv.Itoa(steps)
		}
		if err := e.api.get(ctx, path, r); err != nil {
			return nil, err
		}
		if enough == nil || enough(r) || !e.now().Before(end) {
			return r, nil
		}
	}
}

func (r *record) count(kinds ...string) (n int) {
	if r == nil {
		return 0
	}
	for _, s := range r.Steps {
		if slices.Contains(kinds, s.Kind) {
			n++
		}
	}
	return n
}

func (r *record) param(kind, name string) string {
	if r == nil {
		return ""
	}
	for _, s := range r.Steps {
		for _, f := range s.Request {
			if s.Kind == kind && f.Name == name {
				return f.Value
			}
		}
	}
	return ""
}
