//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFiftyPowerCutsDuringLogins(t *testing.T) {
	t.Parallel()
	fiftyKills(t).checkIntegrity(t)
}

const kills = 50

// fiftyKills lets eight people sign in all the time while the server is killed fifty times, each time at a moment that
// nobody chose, and started again on the same database. At the end all that was acknowledged must hold.
func fiftyKills(t *testing.T, options ...option) *world {
	config := filepath.Join(t.TempDir(), "patient.yaml")
	if err := os.WriteFile(config, []byte("policy: {sms_per_number: 1000}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, append(options, withArgs("--config", config))...)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var clients []*survivor
	var running sync.WaitGroup
	var acknowledged atomic.Int64
	for _, who := range []persona{an, binh, cuong, hai, linh, minh, son, tam} {
		s := &survivor{t: t, w: w, who: who, acknowledged: &acknowledged}
		clients = append(clients, s)
		running.Go(func() {
			for ctx.Err() == nil {
				s.live(ctx)
			}
		})
	}
	began := time.Now()
	for range kills {
		// On a busy machine a sign-in takes long: at least one comes through between two kills.
		before := acknowledged.Load()
		time.Sleep(time.Duration(50+rand.IntN(850)) * time.Millisecond)
		for deadline := time.Now().Add(20 * time.Second); acknowledged.Load() == before && time.Now().Before(deadline); {
			time.Sleep(time.Duration(1+rand.IntN(50)) * time.Millisecond)
		}
		w.restart(t, (*process).kill)
	}
	stop()
	running.Wait()

	holds, dead, lost := 0, 0, 0
	for _, s := range clients {
		lost += s.lost
		for _, k := range s.kept {
			switch {
			case k.unsure:
			case k.replayed:
				dead++
				if a := w.userinfo(t, "GET", k.access); a.Status != http.StatusUnauthorized {
					t.Errorf("an access token lives on though its code came twice: %s", a)
				}
			default:
				holds++
				s.check(t, k)
			}
		}
	}
	t.Logf("%d kills in %v: %d token sets hold, %d of replayed codes are dead, %d steps were lost to the kills",
		kills, time.Since(began).Round(time.Second), holds, dead, lost)
	if holds < kills/2 || dead == 0 || lost < kills/2 {
		t.Errorf("%d sets, %d replays, %d lost steps: too few to mean anything", holds, dead, lost)
	}
	return w
}

// survivor is a person with a relying party of their own that expects the server to vanish at any time.
type survivor struct {
	t    *testing.T
	w    *world
	who  persona
	kept []*kept
	lost int
	http *http.Client

	acknowledged *atomic.Int64 // token sets of everybody
}

// kept is a token set that the server acknowledged.
type kept struct {
	access, refresh string
	used            string // the refresh token before
	unsure          bool   // an answer about it was lost
	replayed        bool   // its code was sent again, and refused
}

var errLost = errors.New("the server went away")

// live is one sign-in and what follows it. A lost answer ends it, as it does for a person who starts again.
func (s *survivor) live(ctx context.Context) {
	jar, _ := cookiejar.New(nil)
	s.http = &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if err := s.signIn(ctx); err != nil {
		s.lost++
		if !errors.Is(err, errLost) {
			s.t.Errorf("%s: %v", s.who.Name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *survivor) signIn(ctx context.Context) error {
	r := s.w.request(myPortal, "scope", "openid profile offline_access")
	p, err := s.open("GET", r.URL(), nil)
	if err != nil {
		return err
	}
	if p, err = s.fill(p, map[string]string{"username": s.who.CCCD, "password": password}); err != nil {
		return err
	}
	if !p.AsksOTP() {
		return fmt.Errorf("after the password: %s: %.300s", p.URL, p.Text())
	}
	otp, err := s.otp()
	if err != nil {
		return err
	}
	if p, err = s.fill(p, map[string]string{"otp": otp}); err != nil {
		return err
	}
	if !p.Landed && p.AsksToShare() {
		if p, err = s.fill(p, map[string]string{"agree": "", "decision": "share"}); err != nil {
			return err
		}
	}
	code := p.Query("code")
	if !p.Landed || code == "" {
		return fmt.Errorf("no code: %s: %.300s", p.URL, p.Text())
	}
	// A lost answer leaves open whether the code was redeemed. Asking again gives tokens if not, else a refusal.
	first, err := s.tokens(r.exchange(code))
	for asked := 0; errors.Is(err, errLost) && asked < 500; asked++ {
		time.Sleep(20 * time.Millisecond)
		if first, err = s.tokens(r.exchange(code)); err != nil && !errors.Is(err, errLost) {
			if strings.Contains(err.Error(), "invalid_grant") {
				return errLost
			}
		}
	}
	if err != nil {
		return err
	}
	s.kept = append(s.kept, first)
	s.acknowledged.Add(1)
	switch n := len(s.kept); {
	case n%4 == 0: // the code once more, when it likes also after a kill
		a, err := s.form("/oauth/token", r.exchange(code))
		for errors.Is(err, errLost) && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			a, err = s.form("/oauth/token", r.exchange(code))
		}
		if err != nil {
			first.unsure = true
			return err
		}
		if a.StatusCode == http.StatusOK {
			return errors.New("a code was redeemed twice")
		}
		first.replayed = true
	case n%2 == 0:
		second, err := s.tokens(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.refresh}})
		if err != nil {
			first.unsure = true
			return err
		}
		first.used, first.access, first.refresh = first.refresh, second.access, second.refresh
	}
	return nil
}

// check wants an acknowledged set to work: who it is, one refresh, and no second life of a refresh token that was used.
func (s *survivor) check(t *testing.T, k *kept) {
	t.Helper()
	if a := s.w.userinfo(t, "GET", k.access); a.Status != http.StatusOK || a.Body["name"] != s.who.Name {
		t.Errorf("an acknowledged access token of %s: %s", s.who.Name, a)
	}
	a := s.w.refresh(t, myPortal, k.refresh)
	if a.Status != http.StatusOK {
		t.Errorf("an acknowledged refresh token of %s: %s", s.who.Name, a)
	}
	if k.used != "" {
		wantOAuthError(t, s.w.refresh(t, myPortal, k.used), http.StatusBadRequest, "invalid_grant")
	}
}

// open goes to an address as a browser without script, up to the callback.
func (s *survivor) open(method, address string, form url.Values) (*page, error) {
	for range 10 {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		if u.Path == "/callback" {
			s.w.secret("an authorization code", u.Query().Get("code"))
			return &page{URL: u, Landed: true}, nil
		}
		req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		if method == "POST" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, raw, err := s.send(req)
		if err != nil {
			return nil, err
		}
		location := res.Header.Get("Location")
		if location == "" {
			return &page{Status: res.StatusCode, URL: u, Body: raw, elements: readElements(raw)}, nil
		}
		next, err := u.Parse(location)
		if err != nil {
			return nil, err
		}
		method, address, form = "GET", next.String(), nil
	}
	return nil, fmt.Errorf("round in circles at %s", address)
}

// send returns the whole answer, or errLost.
func (s *survivor) send(req *http.Request) (*http.Response, string, error) {
	res, err := s.http.Do(req)
	if err != nil {
		return nil, "", errLost
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil:
		return nil, "", errLost
	case res.StatusCode >= 500:
		return nil, "", fmt.Errorf("%s %s: %s: %.300s", req.Method, req.URL.Path, res.Status, raw)
	}
	return res, string(raw), nil
}

// fill sends the form of a page that has the fields, filled in.
func (s *survivor) fill(p *page, values map[string]string) (*page, error) {
	var form *element
	filled := map[*element]string{}
	var button *element
	for _, e := range p.elements {
		value, mine := values[e.attrs["name"]]
		switch {
		case !mine:
		case e.tag == "button" && e.attrs["value"] == value:
			button = e
		case e.tag != "button":
			filled[e], form = value, e.form
		}
	}
	if form == nil {
		return nil, fmt.Errorf("no such form at %s: %.300s", p.URL, p.Text())
	}
	target, err := p.URL.Parse(form.attrs["action"])
	if err != nil {
		return nil, err
	}
	return s.open("POST", target.String(), p.fields(form, filled, button))
}

// otp reads the newest message to the person.
func (s *survivor) otp() (string, error) {
	req, err := http.NewRequest("GET", s.w.Sandbox+"/api/v1/sms?to="+s.who.Phone, nil)
	if err != nil {
		return "", err
	}
	_, raw, err := s.send(req)
	if err != nil {
		return "", err
	}
	_, rest, found := strings.Cut(raw, `"otp":"`)
	if !found || len(rest) < 6 {
		return "", fmt.Errorf("no message to %s: %.200s", s.who.Phone, raw)
	}
	return s.w.secret("an OTP", rest[:6]), nil
}

func (s *survivor) form(path string, form url.Values) (*http.Response, error) {
	res, _, err := s.formRaw(path, form)
	return res, err
}

func (s *survivor) formRaw(path string, form url.Values) (*http.Response, string, error) {
	req, err := http.NewRequest("POST", s.w.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(myPortal.ID, myPortal.Secret)
	return s.send(req)
}

func (s *survivor) tokens(form url.Values) (*kept, error) {
	res, raw, err := s.formRaw("/oauth/token", form)
	if err != nil {
		return nil, err
	}
	var body struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal([]byte(raw), &body); err != nil || res.StatusCode != http.StatusOK || body.Access == "" || body.Refresh == "" {
		return nil, fmt.Errorf("the token endpoint: %s: %s", res.Status, raw)
	}
	s.w.secret("a token", body.Access)
	s.w.secret("a token", body.Refresh)
	return &kept{access: body.Access, refresh: body.Refresh}, nil
}
