package record_test

import (
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// BenchmarkALogin is what recording a login costs, the writing included:
// nine requests, as a sign-in with an OTP, userinfo and sign-out makes them.
func BenchmarkALogin(b *testing.B) {
	store, err := storage.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "x.db"), storage.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	rec := record.New(store, slog.New(slog.DiscardHandler), metrics.NewSet())
	go rec.Run(b.Context())
	world := &vneid.World{ID: "default", Issuer: "http://localhost:9998", Clock: vneid.SystemClock{}, Policy: vneid.DefaultPolicy(), Salt: []byte("salt")}
	query := map[string][]string{"client_id": {"my-portal"}, "redirect_uri": {"http://localhost:3000/callback"}, "response_type": {"code"}, "scope": {"openid profile cccd"},
		"state": {"a-state-of-the-benchmark"}, "nonce": {"n-0S6_WzA2Mj"}, "code_challenge": {"cFdeqdT9sgpMAjbNYTU5lE6sK3fZKrurXEDvbN2lyUo"}, "code_challenge_method": {"S256"}}
	claims := map[string]any{"iss": world.Issuer, "sub": "s", "aud": "my-portal", "iat": 1, "exp": 2, "auth_time": 1, "acr": "LoA2", "amr": []string{"pwd", "otp"}, "sid": "x", "nonce": "n", "at_hash": "h", "sandbox": true}
	n := 0
	for b.Loop() {
		n++
		l := &vneid.Login{ID: "login " + strconv.Itoa(n), State: vneid.StateStarted, CCCD: "038090000001", CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Minute),
			Request: vneid.AuthRequest{ClientID: "my-portal"}}
		for i, kind := range []vneid.StepKind{"authorize", "page", "password", "page", "otp", "token", "userinfo", "introspect", "end_session"} {
			t := rec.Begin(world, "id")
			t.Message(vneid.PartyBrowser, vneid.PartyProvider, kind, "GET", "/login/"+strconv.Itoa(i))
			t.Peer("127.0.0.1", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
			t.Login(l)
			switch kind {
			case "authorize":
				t.Params(vneid.InQuery, query)
				t.Hint("advice.no_pkce")
			case "token":
				t.Param(vneid.InBody, "code", "0eueLdZi6Na37whefzoZH7oyJ7YCnnIduzPeUYxVa2A")
				t.Param(vneid.InBody, "code_verifier", "0eueLdZi6Na37whefzoZH7oyJ7YCnnIduzPeUYxVa2A")
				t.Answer("access_token", "0eueLdZi6Na37whefzoZH7oyJ7YCnnIduzPeUYxVa2A")
				t.Issued("id_token", claims, claims)
				t.Check("client_authentication", true, "client_secret_basic")
			case "userinfo":
				t.Claims(claims)
			}
			rec.End(t, 200)
		}
		if n%100 == 0 {
			rec.Flush(b.Context()) // nothing shall be dropped
		}
	}
	rec.Flush(b.Context())
}
