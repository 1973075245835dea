package sandboxtest_test

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sandboxtest"
)

func authorizeURL(issuer, state string) string {
	return issuer + "/authorize?" + url.Values{"client_id": {"my-portal"}, "redirect_uri": {"http://localhost:3000/callback"},
		"response_type": {"code"}, "scope": {"openid"}, "state": {state}}.Encode()
}

func TestManySandboxesRunBesideEachOther(t *testing.T) {
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			sb := sandboxtest.Start(t)
			for _, callback := range []string{sb.Login(authorizeURL(sb.Issuer, "s1"), sandboxtest.An), sb.LoginByQR(authorizeURL(sb.Issuer, "s1"), sandboxtest.An)} {
				u, err := url.Parse(callback)
				if err != nil || u.Host != "localhost:3000" || u.Query().Get("code") == "" || u.Query().Get("state") != "s1" || u.Query().Get("iss") != sb.Issuer {
					t.Errorf("callback %s", callback)
				}
			}
			if got := len(sb.SMSTo(sandboxtest.An)); got != 1 {
				t.Errorf("%d messages in one sandbox", got)
			}
		})
	}
}

func TestTheHandsOfTheTester(t *testing.T) {
	sb := sandboxtest.Start(t)
	before := sb.Clock.Now()
	if now := sb.Clock.Advance(time.Hour); now.Sub(before) < time.Hour {
		t.Errorf("an hour after %s it is %s", before, now)
	}
	if now := sb.Clock.Set(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)); now.Year() != 2030 {
		t.Errorf("set to 2030: %s", now)
	}
	if now := sb.Clock.Reset(); now.Sub(before) > time.Minute {
		t.Errorf("reset: %s", now)
	}
	sb.Login(authorizeURL(sb.Issuer, "s"), sandboxtest.An)
	if otp := sb.LastOTP(sandboxtest.An); len(otp) != 6 || otp != sb.LastOTP("0950000001") {
		t.Errorf("one-time password %q", otp)
	}
	sb.Reset()
	if got := len(sb.SMSTo("0950000001")); got != 0 {
		t.Errorf("%d messages after the reset", got)
	}
}

func TestOptionsReachTheConfiguration(t *testing.T) {
	const token = "a token of sixteen or more"
	sb := sandboxtest.Start(t, sandboxtest.WithTLS(), sandboxtest.OnFile(), func(c *sandbox.Config) { c.Token = token })
	if !strings.HasPrefix(sb.Issuer, "https://") || !strings.HasPrefix(sb.URL, "https://") {
		t.Errorf("issuer %s, sandbox %s", sb.Issuer, sb.URL)
	}
	if _, err := oidc.NewProvider(oidc.ClientContext(t.Context(), sb.HTTPClient()), sb.Issuer); err != nil {
		t.Error(err)
	}
	sb.Login(authorizeURL(sb.Issuer, "s"), sandboxtest.An)
}

// watched records how a test would have ended.
type watched struct {
	*testing.T
	failed bool
	said   strings.Builder
}

func (w *watched) Failed() bool                    { return w.failed }
func (w *watched) Logf(format string, args ...any) { fmt.Fprintf(&w.said, format+"\n", args...) }
func (w *watched) Fatalf(format string, args ...any) {
	w.failed = true
	w.Logf(format, args...)
	runtime.Goexit()
}

func TestAFailureNamesWhatWentWrongAndShowsTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(*sandboxtest.Sandbox)
		want []string
	}{
		"a client that nobody knows": {func(s *sandboxtest.Sandbox) {
			s.Login(s.Issuer+"/authorize?client_id=nobody", sandboxtest.An)
		}, []string{"400", "client_id", "nobody"}},
		"an SMS that never comes":   {func(s *sandboxtest.Sandbox) { s.Login(authorizeURL(s.Issuer, "s"), sandboxtest.Em) }, []string{"422", "sms_never"}},
		"a code that is none":       {func(s *sandboxtest.Sandbox) { s.Phone(sandboxtest.An).Scan("XXXX-XXXX") }, []string{"/scan: 404", "qr_unknown"}},
		"a client registered wrong": {func(s *sandboxtest.Sandbox) { s.Register(sandboxtest.Client{Consent: "maybe"}) }, []string{"POST /clients: 400", "maybe", "redirect_uris"}},
	} {
		t.Run(name, func(t *testing.T) {
			var w *watched
			t.Run("inner", func(t *testing.T) {
				w = &watched{T: t}
				done := make(chan struct{})
				go func() {
					defer close(done)
					c.run(sandboxtest.Start(w))
				}()
				<-done
			})
			for _, want := range c.want {
				if !w.failed || !strings.Contains(w.said.String(), want) {
					t.Errorf("failed %v, lacks %q:\n%s", w.failed, want, &w.said)
				}
			}
		})
	}
}

func TestEveryTestOfAPackageHasAWorldOfItsOwn(t *testing.T) {
	sb := sandboxtest.Start(t)
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			w := sb.NewWorld().For(t)
			before := w.Clock.Now()
			w.Clock.Advance(time.Duration(i) * time.Hour)
			if hours := int(w.Clock.Now().Sub(before).Round(time.Hour).Hours()); hours != i {
				t.Errorf("its clock went on by %d hours", hours)
			}
			w.Login(authorizeURL(w.Issuer, "s"), sandboxtest.An)
			if got := len(w.SMSTo(sandboxtest.An)); got != 1 {
				t.Errorf("%d messages in a new world", got)
			}
		})
	}
	if got := len(sb.SMSTo(sandboxtest.An)); got != 0 {
		t.Errorf("%d messages in the default world", got)
	}
	ended := &watched{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		sb.NewWorld().For(ended).Phone(sandboxtest.An).Refuse("no-such-login")
	}()
	<-done
	if !ended.failed {
		t.Error("a mistake in a world ends another test than its own")
	}
}
