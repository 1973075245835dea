// Package sandboxtest is for tests of relying parties written in Go: one call
// starts a provider with its people, phones and SMS inbox on free ports of
// 127.0.0.1, and it stops with the test.
//
// A whole test of a portal, here with go-oidc and x/oauth2 as its code:
//
//	func TestSignIn(t *testing.T) {
//		sb := sandboxtest.Start(t)
//
//		// The portal under test, as main would build it.
//		var portal *httptest.Server
//		provider, err := oidc.NewProvider(t.Context(), sb.Issuer)
//		if err != nil {
//			t.Fatal(err)
//		}
//		portal = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//			config := oauth2.Config{ClientID: "my-portal", ClientSecret: "my-portal-secret", RedirectURL: portal.URL + "/callback",
//				Endpoint: provider.Endpoint(), Scopes: []string{"openid", "profile"}}
//			if r.URL.Path == "/login" {
//				http.Redirect(w, r, config.AuthCodeURL(newState(w)), http.StatusFound)
//				return
//			}
//			checkState(r)
//			token, err := config.Exchange(r.Context(), r.FormValue("code"))
//			// … verify the ID token, begin a session, greet the person
//		}))
//		defer portal.Close()
//
//		// Somebody signs in: password, SMS and sharing page happen by themselves.
//		browser := sandboxtest.Browser()               // keeps the portal's cookies
//		authorize := browser.Location(t, portal.URL+"/login") // where the portal sends it
//		callback := sb.Login(authorize, sandboxtest.An)
//		page := browser.Get(t, callback)
//		if !strings.Contains(page, "Nguyễn Văn An") {
//			t.Error("the portal does not greet who signed in")
//		}
//	}
//
// The client my-portal takes the redirect URI /callback on any loopback port;
// [World.Register] makes others. [World.Phone] signs in by QR code,
// [World.LastOTP] reads a message, [World.Clock] lets codes and tokens expire
// without waiting. One sandbox serves a whole package: [Sandbox.NewWorld] gives
// a test people, phones, clients and a clock that no other test sees, and
// [World.For] the world in a subtest. The log of the sandbox, which says with a hint why it
// refused something, is shown when the test fails.
//
// (The library that parses requests also writes a few lines to slog's default
// logger, which belongs to the test.)
//
// Past the start everything goes over HTTP by the automation API
// (docs/api.md), so what works here works against a
// server that runs elsewhere. This package sees no store and no provider from
// inside, and nothing but tests imports it.
package sandboxtest
