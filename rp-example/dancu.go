package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// populationDB asks CSDL quốc gia về dân cư whether a number, a name and a date
// of birth belong together. Nothing waits for it longer than danCuTime times
// two, and no sign-in depends on it.
type populationDB struct {
	url, key string
	client   *http.Client
}

const (
	danCuTime  = 2 * time.Second // one question; there is one retry
	danCuLimit = 8 << 10         // an answer is one line
)

func newPopulationDB(cfg config, now func() time.Time) *populationDB {
	return &populationDB{url: cfg.DanCuURL, key: cfg.DanCuKey, client: &http.Client{
		Timeout: danCuTime,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.roots, Time: now}, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("CSDL Dân cư redirected a question that must be answered directly")
		},
	}}
}

// question is what is asked. Exactly one of the numbers and one of the dates.
type question struct {
	CCCD      string `json:"cccd,omitempty"`
	CMND      string `json:"cmnd,omitempty"`
	Name      string `json:"name"`
	Birthdate string `json:"birthdate,omitempty"`
	BirthYear string `json:"birth_year,omitempty"`
}

// verdict is the answer. Reason is for our log: on a page it would tell a
// guesser which part was right.
type verdict struct {
	Match  bool
	Reason string
}

// match asks once, and once again when there was no answer. An error means that
// nothing is known: neither a match nor a mismatch.
func (d *populationDB) match(ctx context.Context, number, name, birth string) (verdict, error) {
	q := question{CCCD: number, Name: name, Birthdate: birth}
	if len(number) == 9 {
		q.CCCD, q.CMND = "", number
	}
	if len(birth) == 4 {
		q.Birthdate, q.BirthYear = "", birth
	}
	body, err := json.Marshal(q)
	if err != nil {
		return verdict{}, err
	}
	v, again, err := d.ask(ctx, body)
	if err != nil && again && ctx.Err() == nil {
		v, _, err = d.ask(ctx, body)
	}
	return v, err
}

// ask says with again whether a second try may help.
func (d *populationDB) ask(ctx context.Context, body []byte) (v verdict, again bool, err error) {
	if d.url == "" {
		return v, false, errors.New("CSDL Dân cư is not configured")
	}
	ctx, cancel := context.WithTimeout(ctx, danCuTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/match", bytes.NewReader(body))
	if err != nil {
		return v, false, err
	}
	r.Header.Set("Authorization", "Bearer "+d.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	resp, err := d.client.Do(r)
	if err != nil {
		return v, true, fmt.Errorf("ask CSDL Dân cư: %w", trustHint(err))
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, danCuLimit+1))
	switch {
	case err != nil:
		return v, true, fmt.Errorf("read the answer of CSDL Dân cư: %w", err)
	case len(raw) > danCuLimit:
		return v, false, errors.New("the answer of CSDL Dân cư is too large")
	case resp.StatusCode != http.StatusOK: // a wrong key or a used-up quota is no better the second time
		return v, resp.StatusCode >= 500, fmt.Errorf("CSDL Dân cư answered %d", resp.StatusCode)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/json" {
		return v, true, fmt.Errorf("CSDL Dân cư answered %.40q, not JSON", kind)
	}
	var a struct {
		Match  *bool  `json:"match"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(raw, &a); err != nil || a.Match == nil { // no answer is not a "no", and never a "yes"
		return v, true, errors.New("the answer of CSDL Dân cư has no match in it")
	}
	return verdict{*a.Match, tidy(a.Reason, 80)}, false, nil
}
