package vneid

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckHost(t *testing.T) {
	allow := []string{"portal.congty.vn", "203.0.113.7", "169.254.169.254", "dichvucong.gov.vn", "gov.vn", "2001:db8::7"}
	for _, tc := range []struct {
		host string
		want string // a part of the reason; "" = allowed
	}{
		// Test machines.
		{"localhost", ""}, {"LOCALHOST", ""}, {"localhost.", ""}, {"127.0.0.1", ""}, {"127.255.255.254", ""}, {"::1", ""},
		{"0:0:0:0:0:0:0:1", ""}, {"::ffff:127.0.0.1", ""}, {"10.0.0.1", ""}, {"172.16.0.1", ""}, {"172.31.255.255", ""},
		{"192.168.1.10", ""}, {"::ffff:192.168.1.10", ""}, {"fd00::1", ""}, {"fc12::1", ""},
		{"portal", ""}, {"my_portal", ""}, {"portal-1", ""}, {"xn--cng-fma", ""},
		{"portal.test", ""}, {"a.b.c.TEST", ""}, {"portal.test.", ""}, {"app.localhost", ""}, {"ci.internal", ""}, {"portal.example", ""},
		{"xn--cng-dch-v-8bb2853h.test", ""},
		{"portal.congty.vn", ""}, {"Portal.Congty.VN.", ""}, {"203.0.113.7", ""}, {"2001:db8::7", ""}, {"::ffff:203.0.113.7", "public address"},

		// The state's name in every disguise, allow_hosts or not.
		{"gov.vn", ".gov.vn"}, {"GOV.VN", ".gov.vn"}, {"gov.vn.", ".gov.vn"}, {"gov.vn..", ".gov.vn"}, {"gOv.Vn", ".gov.vn"},
		{"dichvucong.gov.vn", ".gov.vn"}, {"a.b.dichvucong.gov.vn.", ".gov.vn"}, {".gov.vn", ".gov.vn"},
		{"dichvucong.gov。vn", ".gov.vn"}, {"dichvucong。gov。vn", ".gov.vn"}, {"gov。vn", ".gov.vn"},
		{"gov．vn", ".gov.vn"}, {"gov｡vn", ".gov.vn"}, {"gov.vn。", ".gov.vn"},
		{"ｇｏｖ.ｖｎ", ".gov.vn"}, {"ＧＯＶ．ＶＮ", ".gov.vn"}, {"𝐠𝐨𝐯.𝐯𝐧", ".gov.vn"}, {"ⓖⓞⓥ.ⓥⓝ", ".gov.vn"},
		{"g\u00adov.vn", ".gov.vn"}, {"gov\u200b.vn", ".gov.vn"}, {"gov.v\u2060n", ".gov.vn"}, {"go\ufe0fv.vn", ".gov.vn"},

		// Not under .gov.vn, but public all the same.
		{"xgov.vn", "only loopback"}, {"gov.vn.com", "only loopback"}, {"gov-vn.com", "only loopback"}, {"gov.vnn", "only loopback"},
		{"example.com", "only loopback"}, {"vneid.vn", "only loopback"}, {"test.com", "only loopback"}, {"nottest", ""},
		{"localhost.com", "only loopback"}, {"localhost.evil.com", "only loopback"}, {"127.0.0.1.evil.com", "only loopback"},
		{"xportal.congty.vn", "only loopback"}, {"sub.portal.congty.vn", "only loopback"},
		{"8.8.8.8", "public address"}, {"203.0.113.8", "public address"}, {"172.15.255.255", "public address"},
		{"172.32.0.1", "public address"}, {"192.169.0.1", "public address"}, {"11.0.0.1", "public address"}, {"100.64.0.1", "public address"},
		{"2606:4700::1111", "public address"}, {"::ffff:8.8.8.8", "public address"}, {"fec0::1", "public address"},
		{"64:ff9b::7f00:1", "public address"}, {"2002:7f00:1::", "public address"}, {"::127.0.0.1", "public address"}, {"::169.254.169.254", "public address"},

		// Link-local is where clouds keep their secrets: never, not even when named.
		{"169.254.169.254", "link-local"}, {"169.254.0.1", "link-local"}, {"::ffff:169.254.169.254", "link-local"}, {"::ffff:a9fe:a9fe", "link-local"},
		{"fe80::1", "link-local"}, {"febf::1", "link-local"}, {"fe80::1%eth0", "zone"}, {"::1%lo", "zone"}, {"::1%;x", "zone"},
		{"224.0.0.1", "link-local"}, {"239.1.2.3", "link-local"}, {"ff02::1", "link-local"}, {"ff0e::1", "link-local"}, {"0.0.0.0", "link-local"}, {"::", "link-local"}, {"::ffff:0.0.0.0", "link-local"},

		// Addresses that programs read differently.
		{"2130706433", "not a host name"}, {"0x7f000001", "not a host name"}, {"0X7F.1", "not a host name"}, {"127.1", "not a host name"},
		{"127.0.1", "not a host name"}, {"0177.0.0.1", "not a host name"}, {"010.0.0.1", "not a host name"}, {"127.0.0.1..", "not a host name"},
		{"256.0.0.1", "not a host name"}, {"1.2.3.4.5", "not a host name"}, {"0", "not a host name"}, {"0x", "not a host name"},
		{"127.0.0.0x1", "only loopback"}, {"１２７.0.0.1", "not a host name"}, {"①②⑦.0.0.1", "not a host name"},

		// No names at all, or more than a name.
		{"", "not a host name"}, {".", "not a host name"}, {"..", "not a host name"}, {"a..test", "not a host name"}, {".test", "not a host name"}, {"localhost..", "not a host name"},
		{"cổng.test", "not a host name"}, {"cổng", "not a host name"}, {"loc\u00adalhost", "not a host name"}, {"\u212aube.test", "not a host name"},
		{"a b.test", "not a host name"}, {"a;b.test", "not a host name"}, {"*.test", "not a host name"}, {"a,b.test", "not a host name"}, {"'self'.test", "not a host name"},
		{"localhost:80", "not a host name"}, {"a@b.test", "not a host name"}, {"a/b.test", "not a host name"}, {"a%2eb.test", "not a host name"}, {"a\\b.test", "not a host name"}, {"a\x00.test", "not a host name"},
		{strings.Repeat("a", 63) + ".test", ""}, {strings.Repeat("a", 64) + ".test", "not a host name"},
		{strings.Repeat("a.", 124) + "test.", ""}, {strings.Repeat("a.", 127) + "test", "not a host name"},
	} {
		got := CheckHost(tc.host, allow)
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%q: %q, want %q", tc.host, got, tc.want)
		}
	}
	for _, h := range []string{"portal.congty.vn", "203.0.113.7"} {
		if CheckHost(h, nil) == "" {
			t.Errorf("%s is allowed though nobody named it", h)
		}
	}
}

func TestCheckURI(t *testing.T) {
	for _, tc := range []struct {
		uri  string
		want string
	}{
		{"http://127.0.0.1:9999/callback", ""}, {"https://localhost/", ""}, {"https://localhost", ""}, {"http://portal:8080/cb?tenant=1", ""},
		{"http://[::1]:9999/cb", ""}, {"HTTPS://PORTAL.TEST/CB", ""}, {"http://portal.test/a%20b", ""}, {"http://localhost/cb//x/../y", ""},
		{"http://[::ffff:127.0.0.1]/", ""},

		{"", "must begin with http"}, {"/callback", "must begin with http"}, {"//localhost/cb", "must begin with http"}, {"localhost/cb", "must begin with http"},
		{"localhost:9999/cb", "must begin with http"}, {"javascript:alert(1)", "must begin with http"}, {"data:text/html,x", "must begin with http"},
		{"file:///etc/passwd", "must begin with http"}, {"ftp://localhost/", "must begin with http"}, {"vn.app:/cb", "must begin with http"},
		{"http:", "has no host"}, {"http:///cb", "has no host"}, {"http:/gov.vn/", "has no host"}, {"http:localhost/cb", "has no host"},
		{"http:dichvucong.gov.vn", "has no host"}, {"http://:80/", "has no host"}, {"http://?gov.vn", "has no host"},
		{"http://localhost/cb#top", "fragment"}, {"http://localhost/cb#", "fragment"}, {"http://localhost#@gov.vn/", "fragment"},
		{"http://user@localhost/", "user name"}, {"http://user:pw@localhost/", "user name"}, {"http://@localhost/", "user name"},
		{"http://localhost@gov.vn/", "user name"}, {"http://localhost:80@evil.com/", "user name"}, {"http://localhost%40gov.vn/", "not an absolute URI"},
		{"http://localhost\\@gov.vn/", "not an absolute URI"}, {"http:\\\\gov.vn/", "not an absolute URI"},
		{"http://localhost/a b", "not an absolute URI"}, {" http://localhost/", "not an absolute URI"}, {"http://localhost/\r\nSet-Cookie:x", "not an absolute URI"},
		{"http://localhost/\x00", "not an absolute URI"}, {"http://localhost/\x7f", "not an absolute URI"}, {"ht\ttp://localhost/", "not an absolute URI"},
		{"http://localhost:port/", "not an absolute URI"}, {"http://localhost:80:90/", "not an absolute URI"}, {"http://[::1/", "not an absolute URI"},
		{"http://[::1]gov.vn/", "not an absolute URI"}, {"http://[gov.vn]/", "not an absolute URI"}, {"http://local%2ehost/", "not an absolute URI"},

		{"https://dichvucong.gov.vn/", ".gov.vn"}, {"https://dichvucong.gov.vn./cb", ".gov.vn"}, {"https://DICHVUCONG.GOV.VN:8443/cb", ".gov.vn"},
		{"https://gov%E3%80%82vn/", ".gov.vn"}, {"https://dichvucong。gov。vn/", ".gov.vn"}, {"https://ｇｏｖ．ｖｎ/", ".gov.vn"}, {"http://gov.vn?localhost", ".gov.vn"},
		{"https://c%E1%BB%95ng.test/", "not a host name"}, {"http://a;script-src.test/", "not a host name"}, {"http://*.test/", "not a host name"},
		{"http://localhost,gov.vn/", "not a host name"}, {"http://2130706433/", "not a host name"}, {"http://0x7f.0.0.1/", "not a host name"}, {"http://127.1/", "not a host name"},
		{"http://[fe80::1%25eth0]/", "zone"}, {"http://[::1%25;x]/", "zone"}, {"http://[::ffff:169.254.169.254]/latest/meta-data", "link-local"},
		{"http://example.com/", "only loopback"}, {"http://127.0.0.1.evil.com/", "only loopback"}, {"http://8.8.8.8/", "public address"},
		{"http://localhost/" + strings.Repeat("a", 2000-len("http://localhost/")), ""}, {"http://localhost/" + strings.Repeat("a", 2001-len("http://localhost/")), "not an absolute URI"},
	} {
		got := CheckURI(tc.uri, nil)
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%q: %q, want %q", tc.uri, got, tc.want)
		}
	}
	if CheckURI("https://portal.congty.vn/cb", []string{"portal.congty.vn"}) != "" {
		t.Error("an allowed host is refused")
	}
	if CheckURI("https://thanhhoa.gov.vn/cb", []string{"thanhhoa.gov.vn"}) == "" {
		t.Error("allow_hosts opens .gov.vn")
	}
}

func TestRedirectURIsMatchToTheCharacter(t *testing.T) {
	c := Client{ClientMetadata: ClientMetadata{
		RedirectURIs:           []string{"http://127.0.0.1:9999/callback", "https://portal.test/cb?tenant=1"},
		PostLogoutRedirectURIs: []string{"http://127.0.0.1:9999/"},
	}}
	for _, ok := range c.RedirectURIs {
		if !c.MatchRedirectURI(ok) {
			t.Errorf("%s is registered", ok)
		}
	}
	for _, uri := range []string{"", "http://127.0.0.1:9999/callback/", "http://127.0.0.1:9999/Callback", "http://127.0.0.1:9999/callback?x=1",
		"http://127.0.0.1:9999/callback#", "http://127.0.0.1:9998/callback", "http://127.0.0.1/callback", "https://127.0.0.1:9999/callback",
		"HTTP://127.0.0.1:9999/callback", "http://localhost:9999/callback", "http://127.0.0.1:9999/x/../callback", "http://127.0.0.1:9999//callback",
		"http://127.0.0.1:9999/%63allback", " http://127.0.0.1:9999/callback", "http://127.0.0.1:9999/callback\n", "http://127.0.0.1:9999",
		"https://portal.test/cb", "https://portal.test/cb?tenant=2", "https://portal.test/cb?tenant=1&x=y", "https://PORTAL.test/cb?tenant=1",
		"https://portal.test:443/cb?tenant=1", "https://portal.test./cb?tenant=1", "http://127.0.0.1:9999/"} {
		if c.MatchRedirectURI(uri) {
			t.Errorf("%q passes for a registered URI", uri)
		}
	}
	if !c.MatchPostLogoutURI("http://127.0.0.1:9999/") || c.MatchPostLogoutURI("http://127.0.0.1:9999/callback") || c.MatchPostLogoutURI("http://127.0.0.1:9999") {
		t.Error("post-logout URIs are mixed up with redirect URIs")
	}
	if (&Client{}).MatchRedirectURI("") {
		t.Error("a client without redirect URIs has one")
	}
}

func anyPortClient() *Client {
	return &Client{LoopbackAnyPort: true, ClientMetadata: ClientMetadata{
		RedirectURIs: []string{"http://localhost/callback", "https://localhost/callback", "http://127.0.0.1/callback", "https://127.0.0.1/callback"},
	}}
}

func TestTheLoopbackRuleLetsThePortVaryAndNothingElse(t *testing.T) {
	any, one := anyPortClient(), anyPortClient()
	one.LoopbackAnyPort = false
	for _, uri := range []string{"http://localhost:1/callback", "http://localhost:3000/callback", "https://localhost:65535/callback",
		"http://127.0.0.1:8080/callback", "https://127.0.0.1:443/callback"} {
		if !any.MatchRedirectURI(uri) {
			t.Errorf("%s is refused", uri)
		}
		if one.MatchRedirectURI(uri) {
			t.Errorf("%s: another port for a client without the rule", uri)
		}
	}
	if !any.MatchRedirectURI("http://localhost/callback") || !one.MatchRedirectURI("http://localhost/callback") {
		t.Error("without a port the registered URI is refused")
	}
	for _, uri := range []string{
		"http://localhost:80@evil.test/callback", "http://localhost:80@evil.test:80/callback", "http://evil.test:80@localhost/callback",
		"http://user@localhost:3000/callback", "http://user:pw@localhost:3000/callback", "http://@localhost:3000/callback",
		"http://localhost:3000@localhost:3000/callback", "http://localhost:3000@127.0.0.1:3000/callback",
		"http://localhost@evil.test//localhost:3000/callback", "http://evil.test//localhost:3000/callback", "http://evil.test/http://localhost:3000/callback",
		"http://localhost.evil.test:3000/callback", "http://127.0.0.1.evil.test:3000/callback", "http://evil.test:3000/callback", "http://evillocalhost:3000/callback",
		"http://localhost:3000/callback/", "http://localhost:3000/callbac", "http://localhost:3000/callback2", "http://localhost:3000/x/../callback",
		"http://localhost:3000//callback", "http://localhost:3000/./callback", "http://localhost:3000/%63allback", "http://localhost:3000/CALLBACK",
		"http://localhost:3000/callback?x=1", "http://localhost:3000/callback?", "http://localhost:3000/callback#x", "http://localhost:3000/callback#",
		"http://localhost:3000", "http://localhost:3000/", "http://localhost:/callback", "http://localhost:port/callback", "http://localhost:-1/callback",
		"http://localhost:+80/callback", "http://localhost:80:80/callback", "http://localhost:３０/callback", "http://localhost:80 /callback", "http://localhost:80\t/callback",
		"HTTP://localhost:3000/callback", "http://LOCALHOST:3000/callback", "http://localhost.:3000/callback", "ftp://localhost:3000/callback",
		"http://[::1]:3000/callback", "http://127.0.0.2:3000/callback", "http://127.1:3000/callback", "http://2130706433:3000/callback", "http://0x7f000001:3000/callback",
		"http://127.0.0.1:3000\\@evil.test/callback", "http://localhost:3000\\callback", "http:localhost:3000/callback", "http:/localhost:3000/callback",
		"//localhost:3000/callback", "///localhost:3000/callback", "http:///localhost:3000/callback", "http://localhost//localhost:3000/callback", "http://localhost:3000//localhost:3000/callback",
		"", " http://localhost:3000/callback", "http://localhost:3000/callback\n",
	} {
		if any.MatchRedirectURI(uri) {
			t.Errorf("%q passes for a registered URI", uri)
		}
	}
	exact := Client{LoopbackAnyPort: true, ClientMetadata: ClientMetadata{RedirectURIs: []string{"http://portal.test/callback"}}}
	if exact.MatchRedirectURI("http://portal.test:3000/callback") {
		t.Error("the port varies on a host that is no loopback")
	}
}

func FuzzCheckURI(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:9999/callback", "https://portal.test/cb?x=1", "https://gov%E3%80%82vn/", "http://[::ffff:169.254.169.254]/",
		"http://localhost:80@gov.vn/", "http://a;b.test/", "http://my_portal:8080/", "https://ｇｏｖ．ｖｎ/", "http://[::1%25x]/", "http:/gov.vn"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if CheckURI(raw, nil) != "" {
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
			t.Fatalf("%q is allowed: %v %#v", raw, err, u)
		}
		if strings.ContainsAny(raw, "\r\n\t \\#\x00") {
			t.Fatalf("%q could break out of a header", raw)
		}
		if strings.Trim(u.Host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:[]") != "" {
			t.Fatalf("%q: host %q could break out of a Content-Security-Policy", raw, u.Host)
		}
		h := strings.ToLower(strings.Trim(u.Hostname(), "."))
		if strings.HasSuffix(h, "gov.vn") && (h == "gov.vn" || strings.HasSuffix(h, ".gov.vn")) {
			t.Fatalf("%q lies under .gov.vn", raw)
		}
		if strings.Contains(h, ".") && strings.Trim(h, "0123456789.") != "" && !strings.Contains(h, ":") {
			last := h[strings.LastIndex(h, ".")+1:]
			if last != "test" && last != "localhost" && last != "internal" && last != "example" {
				t.Fatalf("%q: public host %q", raw, h)
			}
		}
		if again := CheckURI(u.String(), nil); again != "" && !strings.Contains(again, "URI") {
			t.Fatalf("%q is allowed, its normal form %q is not: %s", raw, u.String(), again)
		}
	})
}

func FuzzMatchLoopback(f *testing.F) {
	for _, s := range []string{"http://localhost:3000/callback", "https://127.0.0.1:1/callback", "http://localhost:80@evil.test/callback",
		"http://evil.test//localhost:80/callback", "http://127.0.0.1.evil.test:80/callback", "http://localhost:/callback", "http://localhost:80/callback?x"} {
		f.Add(s)
	}
	c := anyPortClient()
	f.Fuzz(func(t *testing.T, raw string) {
		if !c.MatchRedirectURI(raw) {
			return
		}
		// A reading by hand, independent of net/url: scheme, host, digits, path.
		rest, ok := strings.CutPrefix(raw, "http://")
		if !ok {
			if rest, ok = strings.CutPrefix(raw, "https://"); !ok {
				t.Fatalf("%q has another scheme", raw)
			}
		}
		authority, ok := strings.CutSuffix(rest, "/callback")
		if !ok {
			t.Fatalf("%q has another path", raw)
		}
		host, port, hasPort := strings.Cut(authority, ":")
		if host != "localhost" && host != "127.0.0.1" || hasPort && (port == "" || strings.Trim(port, "0123456789") != "") {
			t.Fatalf("%q leads to %q", raw, authority)
		}
		if CheckURI(raw, nil) != "" {
			t.Fatalf("%q matches, yet could not be registered", raw)
		}
	})
}
