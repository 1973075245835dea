package linking

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// person is somebody at VNeID.
type person struct {
	CCCD      string `json:"cccd"`
	CMND      string `json:"cmnd,omitempty"`
	Name      string `json:"name"`
	Birthdate string `json:"birthdate"`
	Gender    string `json:"gender"`
	Phone     string `json:"phone,omitempty"`
	Email     string `json:"email,omitempty"`
	Status    string `json:"status,omitempty"`
	Level     int    `json:"account_level,omitempty"`
}

// refusal is what the API said no with (RFC 9457).
type refusal struct {
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Code     string `json:"code"`
	Callback string `json:"callback"`
	Login    string `json:"login"`
}

func (e *refusal) Error() string {
	return fmt.Sprintf("the sandbox answered %d: %s", e.Status, e.Detail)
}

// call asks the automation API. Nothing of a secret goes into an error.
func (r *run) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if in == nil {
		body = nil
	}
	q, err := http.NewRequestWithContext(ctx, method, r.API+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	if r.Token != "" {
		q.Header.Set("Authorization", "Bearer "+r.Token)
	}
	resp, err := r.api.Do(q)
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, pageLimit))
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		e := &refusal{Status: resp.StatusCode, Detail: "not as the API answers; is --api right?"}
		_ = json.Unmarshal(raw, e) // what is no problem document keeps the words above
		e.Status = resp.StatusCode
		return e
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// newPerson enters somebody with a number that nobody had.
func (r *run) newPerson(ctx context.Context, p person) (*person, error) {
	if p.Birthdate == "" {
		p.Birthdate, p.Gender = "1991-07-19", "male"
	}
	if p.Gender == "" {
		p.Gender = "male"
	}
	year, err := strconv.Atoi(p.Birthdate[:4])
	if err != nil {
		return nil, fmt.Errorf("a date of birth: %w", err)
	}
	century := (year/100 - 19) * 2
	if p.Gender == "female" {
		century++
	}
	for range 20 {
		serial, err := rand.Int(rand.Reader, big.NewInt(900_000))
		if err != nil {
			return nil, err
		}
		p.CCCD = fmt.Sprintf("038%d%s%06d", century, p.Birthdate[2:4], 100_000+serial.Int64())
		err = r.call(ctx, http.MethodPost, "/personas", &p, nil)
		if taken := (*refusal)(nil); errors.As(err, &taken) && taken.Status == http.StatusConflict {
			continue
		}
		if err != nil {
			return nil, err
		}
		made := p
		r.made = append(r.made, made.CCCD)
		return &made, nil
	}
	return nil, errors.New("twenty numbers were taken")
}

// seeded is somebody the world has already.
func (r *run) seeded(ctx context.Context, cccd string) (*person, error) {
	p := &person{}
	if err := r.call(ctx, http.MethodGet, "/personas/"+url.PathEscape(cccd), nil, p); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *run) change(ctx context.Context, p *person, fields map[string]any) error {
	return r.call(ctx, http.MethodPatch, "/personas/"+url.PathEscape(p.CCCD), fields, nil)
}

// back is where VNeID leads a browser.
type back struct {
	Callback string            `json:"callback"`
	Login    string            `json:"login"`
	Form     map[string]string `json:"form"`
}

func (r *run) isAuthorize(at *url.URL) bool {
	q := at.Query()
	return q.Get("client_id") == r.file.ClientID && q.Get("response_type") != "" && !strings.HasPrefix(at.String(), r.file.Portal+"/")
}

// atVNeID signs somebody in where the relying party sent the browser: with the
// phone, which has no quota; who cannot use it there, with the one-time password.
// Whom VNeID refuses comes back with its error.
func (r *run) atVNeID(ctx context.Context, p *person, request *url.URL) (*back, error) {
	r.issuer = strings.TrimSuffix(request.Scheme+"://"+request.Host+request.Path, "/authorize")
	params := map[string]string{}
	for name, values := range request.Query() {
		params[name] = values[0]
	}
	order := map[string]any{"client_id": r.file.ClientID, "cccd": p.CCCD, "method": "qr", "params": params}
	var out back
	err := r.call(ctx, http.MethodPost, "/logins", order, &out)
	no := (*refusal)(nil)
	if errors.As(err, &no) && slices.Contains([]string{"web_login_off", "qr_level", "account_locked", "account_not_activated"}, no.Code) {
		order["method"] = "otp"
		err = r.call(ctx, http.MethodPost, "/logins", order, &out)
	}
	if errors.As(err, &no) && no.Callback != "" {
		return &back{Callback: no.Callback, Login: no.Login}, nil
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// manyTimes is how often a fault is armed: what is less afterwards has struck.
const manyTimes = 100_000

// arm arms a fault for one person and disarms every other of the client.
func (r *run) arm(ctx context.Context, p *person, id, variant string) error {
	f := map[string]any{"id": id, "variant": variant, "times": manyTimes}
	if p != nil {
		f["persona"] = p.CCCD
	}
	r.armed = true
	return r.call(ctx, http.MethodPut, "/clients/"+url.PathEscape(r.file.ClientID)+"/faults", map[string]any{"faults": []any{f}}, nil)
}

func (r *run) disarm(ctx context.Context) error {
	if !r.armed {
		return nil
	}
	r.armed = false
	return r.call(ctx, http.MethodDelete, "/clients/"+url.PathEscape(r.file.ClientID)+"/faults", nil, nil)
}

// spent tells whether the armed fault has struck.
func (r *run) spent(ctx context.Context) (bool, error) {
	var list []struct{ Times int }
	err := r.call(ctx, http.MethodGet, "/clients/"+url.PathEscape(r.file.ClientID)+"/faults", nil, &list)
	if err == nil && len(list) != 1 {
		err = errors.New("somebody else changed the armed faults of the client meanwhile")
	}
	return err == nil && list[0].Times < manyTimes, err
}

// masked is a number in evidence.
func masked(cccd string) string {
	if len(cccd) != 12 {
		return cccd
	}
	return vneid.CCCD(cccd).Mask()
}
