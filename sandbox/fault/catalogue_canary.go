package fault

func init() { parts = append(parts, canaries) }

// canaries are the faults of other sections that lead to the attacker's
// addresses.
var canaries = []Fault{
	{
		ID: "D15", Name: "jku-header", Grade: Must, Seam: SeamJOSE, Attacker: true, Skippable: leftToTLS, Signals: []Signal{Canary, NoUserinfoCall, NoSession},
		Title: Text{"Tiêu đề jku", "The header jku"},
		What:  Text{"Tiêu đề jku trỏ tới bộ khoá của kẻ tấn công, chữ ký khớp với khoá ở đó.", "The header jku leads to the attacker's keys, and the signature fits the one there."},
		Right: Text{"Không bao giờ tải khoá từ địa chỉ nằm trong token.", "Never fetch keys from an address that comes with the token."},
		Spec:  []string{"OIDC Core §2", "RFC 8725 §3.10"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			if to, ok := x.canary("jku"); ok {
				byForeignKey(t, AttackerKID)
				t.Header.Set("jku", to)
			}
		}},
	},
	{
		ID: "D16", Name: "x5u-header", Grade: Must, Seam: SeamJOSE, Attacker: true, Skippable: leftToTLS, Signals: []Signal{Canary, NoUserinfoCall, NoSession},
		Title: Text{"Tiêu đề x5u hoặc x5c", "The header x5u or x5c"},
		What:  Text{"Tiêu đề mang (x5c) hoặc trỏ tới (x5u) chứng thư tự ký của kẻ tấn công, chữ ký khớp với nó.", "The header holds (x5c) or leads to (x5u) a certificate that the attacker made out to itself, and the signature fits it."},
		Right: Text{"Bỏ qua; chỉ dùng khoá trong JWKS của issuer.", "Ignore it; use the keys of the issuer's JWKS alone."},
		Spec:  []string{"OIDC Core §2", "RFC 7515 §4.1.5, §4.1.6", "RFC 8725 §3.10"},
		Variants: []Variant{
			{"x5u", Text{"địa chỉ của chứng thư", "the address of the certificate"}},
			{"x5c", Text{"chính chứng thư", "the certificate itself"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			to, ok := x.canary("x5u")
			if !ok {
				return
			}
			byForeignKey(t, AttackerKID)
			if x.Variant == "x5c" {
				t.Header.Set("x5c", x5c())
				return
			}
			t.Header.Set("x5u", to)
		}},
	},
	{
		ID: "D17", Name: "jwk-leads-elsewhere", Grade: Must, Seam: SeamJOSE, Attacker: true, Skippable: leftToTLS, Signals: []Signal{Canary, NoUserinfoCall, NoSession},
		Title: Text{"jwk dẫn đi nơi khác", "A jwk that leads elsewhere"},
		What:  Text{"Tiêu đề jwk là một địa chỉ thay cho khoá, hoặc là một khoá có jku và x5u bên trong.", "The header jwk is an address instead of a key, or a key with jku and x5u within."},
		Right: Text{"Bỏ qua jwk và không tải gì từ đó.", "Ignore jwk and fetch nothing from there."},
		Spec:  []string{"RFC 8725 §3.10"},
		Variants: []Variant{
			{"url", Text{"một địa chỉ", "an address"}},
			{"nested", Text{"khoá của kẻ tấn công có jku và x5u", "the attacker's key with jku and x5u"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			to, ok := x.canary("jwk")
			if !ok {
				return
			}
			byForeignKey(t, AttackerKID)
			if x.Variant == "url" {
				t.Header.Set("jwk", to)
				return
			}
			key := foreignJWK(AttackerKID)
			key.Set("jku", to)
			certificate, _ := x.canary("x5u") // there is one, as above
			key.Set("x5u", certificate)
			t.Header.SetRaw("jwk", key.Bytes())
		}},
	},
	{
		ID: "E03", Name: "malicious-endpoints", Grade: Must, Seam: SeamDiscovery, Attacker: true, Signals: []Signal{Canary},
		Title: Text{"Điểm cuối của kẻ tấn công", "The attacker's endpoints"},
		What:  Text{"Siêu dữ liệu của issuer thật, nhưng token_endpoint hoặc userinfo_endpoint là của kẻ tấn công: mã, bí mật và access token sẽ tới đó.", "The right issuer's metadata, but token_endpoint or userinfo_endpoint is the attacker's: code, secret and access token would go there."},
		Right: Text{"Cấu hình gắn với issuer: điểm cuối ở máy khác với cấu hình đã duyệt thì dừng lại.", "A configuration bound to the issuer: stop when an endpoint is on another host than the one that was approved."},
		Spec:  []string{"RFC 9700 §4.4"},
		Skippable: &Text{"Discovery §3 cho phép điểm cuối ở bất kỳ máy nào; ai tải siêu dữ liệu qua TLS từ issuer thì được tin nó.",
			"Discovery §3 lets endpoints be on any host; who fetched the metadata from the issuer over TLS may believe it."},
		Variants: []Variant{
			{"token", Text{"chỉ token_endpoint", "token_endpoint only"}},
			{"userinfo", Text{"chỉ userinfo_endpoint", "userinfo_endpoint only"}},
			{"both", Text{"cả hai", "both"}},
		},
		hooks: hooks{discovery: func(x *Exchange, o *Object) {
			for _, what := range []string{"token", "userinfo"} {
				if to, ok := x.canary(what); ok && (x.Variant == what || x.Variant == "both") {
					o.Set(what+"_endpoint", to)
				}
			}
		}},
	},
	{
		ID: "E04", Name: "internal-endpoints", Grade: Should, Seam: SeamDiscovery, Attacker: true, Signals: []Signal{Canary},
		Title: Text{"Điểm cuối trỏ vào bên trong", "Endpoints that lead inside"},
		What:  Text{"jwks_uri hoặc userinfo_endpoint là một địa chỉ loopback ở cổng khác: máy chủ của cổng sẽ tự gọi vào mạng của mình. Chỉ thấy được khi cổng chạy trên cùng máy với sandbox.", "jwks_uri or userinfo_endpoint is a loopback address with another port: the portal's server would call into its own network. Seen only when the portal runs on the sandbox's machine."},
		Right: Text{"Giới hạn địa chỉ mà máy chủ được gọi ra: chỉ máy của issuer.", "Limit where the server may call: the issuer's hosts only."},
		Spec:  []string{"CWE-918", "RFC 9700 §4.4"},
		Skippable: &Text{"Discovery §3 không giới hạn máy của điểm cuối; issuer cũng ở loopback thì loopback không có gì lạ.",
			"Discovery §3 does not limit the hosts of endpoints; with an issuer on loopback, loopback is nothing odd."},
		Variants: []Variant{
			{"jwks", Text{"jwks_uri, 127.0.0.1", "jwks_uri at 127.0.0.1"}},
			{"jwks-mapped", Text{"jwks_uri, địa chỉ IPv6 bọc IPv4", "jwks_uri at an IPv4-mapped IPv6 address"}},
			{"userinfo", Text{"userinfo_endpoint, 127.0.0.1", "userinfo_endpoint at 127.0.0.1"}},
		},
		hooks: hooks{discovery: func(x *Exchange, o *Object) {
			name, what, host := "jwks_uri", "jwks", "127.0.0.1"
			switch x.Variant {
			case "userinfo":
				name, what = "userinfo_endpoint", "userinfo"
			case "jwks-mapped":
				host = "[::ffff:127.0.0.1]"
			}
			if to, ok := x.canary(what); ok {
				o.Set(name, onLoopback(to, host))
			}
		}},
	},
	{
		ID: "F12", Name: "userinfo-picture-url", Grade: Should, Seam: SeamUserinfo, Attacker: true, Signals: []Signal{Canary, Encoded},
		Title: Text{"Địa chỉ ảnh nguy hiểm", "A dangerous picture address"},
		What:  Text{"picture và profile trong UserInfo trỏ tới kẻ tấn công, hoặc là javascript:.", "picture and profile in UserInfo lead to the attacker, or are javascript:."},
		Right: Text{"Máy chủ không tự tải; chỉ hiển thị https:, không bao giờ javascript:.", "The server does not fetch it; show https: only, never javascript:."},
		Spec:  []string{"OIDC Core §5.1", "CWE-918", "CWE-79"},
		Variants: []Variant{
			{"canary", Text{"địa chỉ của kẻ tấn công", "an address of the attacker"}},
			{"javascript", Text{"javascript:", "the scheme javascript:"}},
		},
		hooks: hooks{userinfo: func(x *Exchange, o *Object) {
			to, ok := x.canary("picture")
			if !ok {
				return
			}
			if x.Variant == "javascript" {
				to = "javascript:alert(document.domain)"
			}
			o.Set("picture", to)
			o.Set("profile", to)
		}},
	},
}
