package fault

import (
	"encoding/base64"
	"net/http"
	"strings"
)

func init() { parts = append(parts, sectionD, sectionD2) }

// The signature of an ID token that comes from the token endpoint may be left
// to TLS.
var leftToTLS = &Text{"Core §3.1.3.7 (6): trong luồng mã, TLS tới điểm cuối token có thể thay cho việc kiểm tra chữ ký.",
	"Core §3.1.3.7 (6): in the code flow TLS to the token endpoint may stand in for checking the signature."}

// sectionD: signature, JOSE header, keys.
var sectionD = []Fault{
	{
		ID: "D01", Name: "sig-invalid", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Chữ ký sai", "Invalid signature"},
		What:  Text{"Một byte của chữ ký bị đổi.", "One byte of the signature is flipped."},
		Right: Text{"Kiểm tra chữ ký bằng khóa trong JWKS.", "Verify the signature with a key of the JWKS."},
		Spec:  []string{"OIDC Core §3.1.3.7 (6)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Alter = func(compact string) string {
				at := strings.LastIndexByte(compact, '.') + 1
				signature, err := b64.DecodeString(compact[at:])
				if err != nil || len(signature) == 0 {
					return compact
				}
				signature[len(signature)/2] ^= 1
				return compact[:at] + b64.EncodeToString(signature)
			}
		}},
	},
	{
		ID: "D02", Name: "sig-empty", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Không có chữ ký", "No signature"},
		What:  Text{"Phần chữ ký rỗng, tiêu đề vẫn nói RS256.", "The signature is empty; the header still says RS256."},
		Right: Text{"Từ chối.", "Refuse."},
		Spec:  []string{"RFC 7515 §5.2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Sign = unsigned }},
	},
	{
		ID: "D03", Name: "alg-none", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"alg none", "The alg none"},
		What:  Text{"Tiêu đề nói alg none, không có chữ ký.", "The header says alg none, and there is no signature."},
		Right: Text{"Từ chối trừ khi đã đăng ký none.", "Refuse unless none was registered."},
		Spec:  []string{"OIDC Core §3.1.3.7 (7)", "RFC 8725 §3.2"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { algNone(t) }},
	},
	{
		ID: "D04", Name: "alg-none-disguised", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"alg none trá hình", "The alg none in disguise"},
		What:  Text{"alg NoNe, hoặc none kèm một chữ ký.", "alg NoNe, or none with a signature."},
		Right: Text{"Danh sách thuật toán cho phép, so chính xác.", "A list of allowed algorithms, compared exactly."},
		Spec:  []string{"RFC 8725 §2.1", "RFC 8725 §3.1"},
		Variants: []Variant{
			{"mixed-case", Text{"NoNe, không chữ ký", "NoNe, no signature"}}, {"with-signature", Text{"none, chữ ký cũ", "none, the old signature"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			if x.Variant == "with-signature" {
				t.Header.Set("alg", "none")
				return
			}
			t.Header.Set("alg", "NoNe")
			t.Sign = unsigned
		}},
	},
	{
		ID: "D05", Name: "hs256-with-public-key", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Khóa công khai làm bí mật HMAC", "The public key as HMAC secret"},
		What:  Text{"HS256, bí mật là khóa công khai mà ai cũng tải được.", "HS256 whose secret is the public key, which anybody can fetch."},
		Right: Text{"Thuật toán lấy từ đăng ký, không lấy từ tiêu đề của token.", "Take the algorithm from the registration, never from the token's header."},
		Spec:  []string{"RFC 8725 §2.1", "RFC 8725 §3.1"},
		Variants: []Variant{
			{"pkix-pem", Text{"PEM PKIX", "PEM, PKIX"}}, {"pkix-pem-no-newline", Text{"PEM PKIX không xuống dòng cuối", "PEM, PKIX, without the last newline"}},
			{"pkcs1-pem", Text{"PEM PKCS#1", "PEM, PKCS#1"}}, {"pkcs1-pem-no-newline", Text{"PEM PKCS#1 không xuống dòng cuối", "PEM, PKCS#1, without the last newline"}},
			{"pkix-der", Text{"DER PKIX", "DER, PKIX"}}, {"pkcs1-der", Text{"DER PKCS#1", "DER, PKCS#1"}},
			{"jwk", Text{"cả JWK", "the JWK as JSON"}}, {"n", Text{"chuỗi n", "the string n"}}, {"e", Text{"chuỗi e", "the string e"}},
			{"kty", Text{"chuỗi kty", "the string kty"}}, {"alg", Text{"chuỗi alg", "the string alg"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) { x.byPublicKey(t, x.Variant) }},
	},
	{
		ID: "D06", Name: "hs256-client-secret", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"HS256 bằng client_secret", "HS256 by the client_secret"},
		What:  Text{"Ký bằng HS256 với client_secret dù đã đăng ký thuật toán khác.", "Signed by HS256 with the client_secret, though another algorithm is registered."},
		Right: Text{"Chỉ nhận thuật toán đã đăng ký.", "Take the registered algorithm only."},
		Spec:  []string{"OIDC Core §3.1.3.7 (7)", "OIDC Core §3.1.3.7 (8)"}, Asks: []string{"client_secret"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			secret := x.shownSecret()
			if secret == "" {
				x.Untouched()
				return
			}
			t.Header.Set("alg", "HS256")
			t.Header.Delete("kid")
			t.Sign = hs256([]byte(secret))
		}},
	},
	{
		ID: "D07", Name: "alg-downgrade", Grade: Should, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Thuật toán khác với đăng ký", "Another algorithm than registered"},
		What:  Text{"Chữ ký thật của nhà cung cấp, nhưng bằng thuật toán khác.", "A real signature of the provider, by another algorithm."},
		Right: Text{"Chỉ nhận thuật toán đã đăng ký.", "Take the registered algorithm only."},
		Spec:  []string{"OIDC Core §3.1.3.7 (7)"},
		Variants: []Variant{
			{"ps256", Text{"PS256", "by PS256"}}, {"es256", Text{"bằng ES256", "by ES256"}}, {"eddsa", Text{"bằng EdDSA", "by EdDSA"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			alg := map[string]string{"es256": "ES256", "eddsa": "EdDSA"}[x.Variant]
			if alg == "" {
				alg = "PS256"
			}
			kid := x.kidOf(alg)
			if kid == "" || t.Header.String("alg") == alg {
				x.Untouched()
				return
			}
			t.Header.Set("alg", alg)
			t.Header.Set("kid", kid)
			t.kid = kid
		}},
	},
	{
		ID: "D08", Name: "alg-header-mismatch", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"alg không hợp với khóa", "An alg that does not fit the key"},
		What:  Text{"Tiêu đề nói thuật toán của loại khóa khác, kid và chữ ký vẫn là của khóa cũ.", "The header says the algorithm of another kind of key; kid and signature are those of the old one."},
		Right: Text{"Kiểm tra alg hợp với khóa; từ chối.", "Check that alg fits the key; refuse."},
		Spec:  []string{"RFC 7515 §5.2", "RFC 8725 §3.1"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			other := "ES256"
			if t.Header.String("alg") == other {
				other = "RS256"
			}
			t.Header.Set("alg", other)
		}},
	},
	{
		ID: "D10", Name: "kid-missing-many-keys", Grade: Either, Seam: SeamJOSE, Signals: forPeople,
		Title: Text{"Không có kid, nhiều khóa", "No kid, many keys"},
		What:  Text{"Tiêu đề không có kid, JWKS có nhiều khóa.", "The header has no kid, the JWKS many keys."},
		Right: Text{"Thử các khóa hợp thuật toán, hoặc từ chối.", "Try the keys that fit the algorithm, or refuse."},
		Spec:  []string{"OIDC Core §10.1"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { t.Header.Delete("kid") }},
	},
	{
		ID: "D09", Name: "kid-missing-single-key", Grade: Accept, Seam: SeamJOSE, Signals: mustBeTaken,
		Title: Text{"Không có kid, một khóa", "No kid, one key"},
		What:  Text{"Tiêu đề không có kid, JWKS chỉ có khóa RS256.", "The header has no kid, the JWKS the RS256 key alone."},
		Right: Text{"Chấp nhận: chỉ có một khóa thì không cần kid.", "Accept it: a single key needs no kid."},
		Spec:  []string{"OIDC Core §10.1"},
		hooks: hooks{
			idToken: func(x *Exchange, t *JWT) {
				if t.Header.String("alg") != "RS256" {
					x.Untouched()
					return
				}
				t.Header.Delete("kid")
			},
			jwks: func(_ *Exchange, o *Object) {
				var rs [][]byte
				for _, k := range keysIn(o) {
					if k.String("alg") == "RS256" {
						rs = append(rs, k.Bytes())
					}
				}
				setKeys(o, rs[max(0, len(rs)-1):])
			},
		},
	},
	{
		ID: "D11", Name: "kid-unknown", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"kid không ai biết", "An unknown kid"},
		What:  Text{"Ký bằng khóa không có trong JWKS, kể cả sau khi tải lại.", "Signed by a key that is not in the JWKS, not even after another fetch."},
		Right: Text{"Tải JWKS lại một lần, rồi từ chối.", "Fetch the JWKS once more, then refuse."},
		Spec:  []string{"OIDC Core §10.1.1"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) { byForeignKey(t, "a-key-that-nobody-published") }},
	},
	{
		ID: "D12", Name: "kid-injection", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"kid chứa mã tấn công", "An attack within kid"},
		What:  Text{"kid trông như đường dẫn tệp, URL, SQL, 4 kB, hoặc có ký tự điều khiển; ký bằng khóa lạ.", "kid looks like a path, a URL, SQL, is 4 kB long, or has control characters; signed by a foreign key."},
		Right: Text{"kid là một nhãn để so, không phải đường dẫn, câu lệnh hay địa chỉ.", "kid is a label to compare; it is no path, statement or address."},
		Spec:  []string{"RFC 8725 §3.10"},
		Variants: []Variant{
			{"path", Text{"đường dẫn", "a path"}}, {"url", Text{"URL", "a URL"}}, {"sql", Text{"SQL", "SQL text"}},
			{"long", Text{"4 kB", "of 4 kB"}}, {"control", Text{"ký tự điều khiển", "control characters"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			kid := map[string]string{"url": "http://rp-canary.test/keys", "sql": "x' UNION SELECT 'AA' -- ", "long": strings.Repeat("k", 4096), "control": "k\x00\r\nX-Injected: 1"}[x.Variant]
			if kid == "" {
				kid = "../../../../../../dev/null"
			}
			byForeignKey(t, kid)
		}},
	},
	{
		ID: "D13", Name: "kid-duplicate", Grade: Either, Seam: SeamJWKS, Signals: forPeople,
		Title: Text{"Hai khóa cùng kid", "Two keys of one kid"},
		What:  Text{"JWKS có một khóa lạ cùng kid đứng trước mỗi khóa thật.", "Before each real key of the JWKS stands a foreign one with the same kid."},
		Right: Text{"Thử cả hai hoặc từ chối, đừng tin khóa đầu tiên một cách mù quáng.", "Try both, or refuse; do not blindly take the first."},
		Spec:  []string{"RFC 7517 §4.5"},
		hooks: hooks{jwks: func(_ *Exchange, o *Object) {
			var all [][]byte
			for _, k := range keysIn(o) {
				twin := rsaJWK(&listedKey().PublicKey, k.String("kid"))
				all = append(all, twin.Bytes(), k.Bytes())
			}
			setKeys(o, all)
		}},
	},
	{
		ID: "D14", Name: "jwk-embedded", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Khóa nằm ngay trong token", "The key comes with the token"},
		What:  Text{"Tiêu đề jwk mang khóa của kẻ tấn công, chữ ký khớp với khóa đó.", "The header jwk holds the attacker's key, and the signature fits it."},
		Right: Text{"Bỏ qua jwk; chỉ dùng khóa trong JWKS của issuer.", "Ignore jwk; use the keys of the issuer's JWKS alone."},
		Spec:  []string{"OIDC Core §2", "RFC 8725 §3.10"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			byForeignKey(t, "")
			t.Header.SetRaw("jwk", foreignJWK("").Bytes())
		}},
	},
}

// sectionD2 goes on with it.
var sectionD2 = []Fault{
	{
		ID: "D18", Name: "jwks-key-use-enc", Grade: Should, Seam: SeamJWKS, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Khóa chỉ dành để mã hóa", "Keys for encryption only"},
		What:  Text{"Mọi khóa trong JWKS có use enc.", "Every key of the JWKS has use enc."},
		Right: Text{"Không dùng khóa use enc để kiểm tra chữ ký.", "Verify no signature with a key of use enc."},
		Spec:  []string{"RFC 7517 §4.2"},
		hooks: hooks{jwks: func(_ *Exchange, o *Object) {
			var all [][]byte
			for _, k := range keysIn(o) {
				k.Set("use", "enc")
				all = append(all, k.Bytes())
			}
			setKeys(o, all)
		}},
	},
	{
		ID: "D19", Name: "rotation-after-login", Grade: Accept, Seam: SeamKeys, Signals: []Signal{Session, Fetch},
		Title: Text{"Thay khóa giữa hai lần đăng nhập", "A rotation between two sign-ins"},
		What:  Text{"Từ lần đăng nhập này nhà cung cấp ký bằng khóa mới.", "From this sign-in on the provider signs with a new key."},
		Right: Text{"Gặp kid lạ thì tải lại JWKS.", "Fetch the JWKS again when a kid is unknown."},
		Spec:  []string{"OIDC Core §10.1.1"},
		hooks: hooks{on: []Kind{Authorize}, request: func(x *Exchange) { x.rotate("publish", "use") }},
	},
	{
		ID: "D20", Name: "rotation-mid-login", Grade: Accept, Seam: SeamKeys, Signals: []Signal{Session, Fetch},
		Title: Text{"Thay khóa giữa lúc đăng nhập", "A rotation in the middle of a sign-in"},
		What:  Text{"Khóa được thay ngay trước khi token được ký.", "The key is replaced just before the token is signed."},
		Right: Text{"Gặp kid lạ thì tải lại JWKS.", "Fetch the JWKS again when a kid is unknown."},
		Spec:  []string{"OIDC Core §10.1.1"},
		hooks: hooks{on: []Kind{Token}, request: func(x *Exchange) { x.rotate("publish", "use") }},
	},
	{
		ID: "D21", Name: "publish-then-use", Grade: Accept, Seam: SeamKeys, Signals: mustBeTaken,
		Title: Text{"Công bố khóa mới trước khi dùng", "A key is published before it is used"},
		What:  Text{"Khóa mới xuất hiện trong JWKS, khóa cũ vẫn ký.", "A new key appears in the JWKS, the old one still signs."},
		Right: Text{"Không có gì thay đổi cho người dùng.", "Nothing changes for anybody."},
		Spec:  []string{"OIDC Core §10.1.1"},
		hooks: hooks{on: []Kind{Authorize}, request: func(x *Exchange) { x.rotate("publish") }},
	},
	{
		ID: "D22", Name: "key-removed", Grade: Should, Seam: SeamJWKS, Signals: unnoticed,
		Title:     Text{"Khóa đã bị gỡ", "A key that was removed"},
		What:      Text{"JWKS không còn khóa RS256 mà token vẫn được ký bằng nó.", "The JWKS has no RS256 key any more, and tokens are still signed by it."},
		Right:     Text{"Từ chối khi bản lưu của JWKS đã cũ.", "Refuse once the cached JWKS is past its age."},
		Spec:      []string{"OIDC Core §10.1.1"},
		Skippable: &Text{"Trong thời hạn lưu đệm (Cache-Control) cổng vẫn có thể dùng khóa đã biết.", "Within the age of its cache (Cache-Control) a portal may go on with a key it knows."},
		hooks: hooks{jwks: func(_ *Exchange, o *Object) {
			var rest [][]byte
			for _, k := range keysIn(o) {
				if k.String("alg") != "RS256" {
					rest = append(rest, k.Bytes())
				}
			}
			setKeys(o, rest)
		}},
	},
	{
		ID: "D23", Name: "jwks-unavailable", Grade: Must, Seam: SeamJWKS, Signals: withAPage,
		Title:    Text{"Không lấy được JWKS", "The JWKS cannot be had"},
		What:     Text{"JWKS rỗng, 404 hoặc 500.", "The JWKS is empty, 404 or 500."},
		Right:    Text{"Đóng lại khi không có khóa; dùng bản lưu có thời hạn; không treo.", "Fail closed without a key; a cache may help for a while; do not hang."},
		Spec:     []string{"OIDC Core §10.1"},
		Variants: []Variant{{"empty", Text{"không có khóa nào", "no keys"}}, {"404", Text{"trả 404", "answers 404"}}, {"500", Text{"trả 500", "answers 500"}}},
		hooks: hooks{on: []Kind{JWKS}, response: func(x *Exchange) {
			switch x.Variant {
			case "404":
				x.Reply(http.StatusNotFound, htmlType, brokenPage)
			case "500":
				x.Reply(http.StatusInternalServerError, htmlType, brokenPage)
			default:
				x.Reply(http.StatusOK, "application/json", `{"keys":[]}`)
			}
		}},
	},
	{
		ID: "D24", Name: "jwks-garbage", Grade: Should, Seam: SeamJWKS, Signals: withAPage,
		Title:    Text{"JWKS rác hoặc khổng lồ", "A JWKS of garbage, or a huge one"},
		What:     Text{"Không phải JSON, 10 000 khóa, hoặc 20 MB.", "No JSON, 10,000 keys, or 20 MB."},
		Right:    Text{"Giới hạn kích thước, báo lỗi rõ ràng.", "Bound its size; say clearly what failed."},
		Spec:     []string{"CWE-770"},
		Variants: []Variant{{"no-json", Text{"không phải JSON", "no JSON"}}, {"many", Text{"10 000 khóa", "10,000 keys"}}, {"large", Text{"20 MB", "of 20 MB"}}},
		hooks: hooks{jwks: func(x *Exchange, o *Object) {
			switch x.Variant {
			case "many":
				all := keysOf(o)
				twin := rsaJWK(&listedKey().PublicKey, "k").Bytes()
				for len(all) < 10_000 {
					all = append(all, twin)
				}
				setKeys(o, all)
			case "large":
				x.Answer.Padding = large
			default:
				x.Reply(http.StatusOK, "application/json", `{"keys": [ {"kty": "RSA", oops`)
			}
		}},
	},
	{
		ID: "D25", Name: "jwks-private-key", Grade: Either, Seam: SeamJWKS, Signals: forPeople,
		Title: Text{"JWKS lộ khóa riêng", "A JWKS with a private key"},
		What:  Text{"Các khóa trong JWKS có thành viên d.", "The keys of the JWKS have a member d."},
		Right: Text{"Không hỏng; có thể cảnh báo.", "Do not break; an alert would be good."},
		Spec:  []string{"RFC 7517 §9.2"},
		hooks: hooks{jwks: func(_ *Exchange, o *Object) {
			var all [][]byte
			for _, k := range keysIn(o) {
				k.Set("d", b64.EncodeToString([]byte("not the real private part of the key")))
				all = append(all, k.Bytes())
			}
			setKeys(o, all)
		}},
	},
	{
		ID: "D26", Name: "weak-key", Grade: Should, Seam: SeamKeys, Signals: unnoticed, Skippable: leftToTLS,
		Title:    Text{"Khóa yếu", "A weak key"},
		What:     Text{"Token ký bằng khóa RSA 1024 bit, hoặc số mũ 1, có trong JWKS.", "Signed by an RSA key of 1024 bits, or of exponent 1, which is in the JWKS."},
		Right:    Text{"Từ chối khóa dưới 2048 bit và số mũ vô lý.", "Refuse keys below 2048 bits and exponents that make no sense."},
		Spec:     []string{"RFC 8725 §3.5", "NIST SP 800-131A"},
		Variants: []Variant{{"rsa-1024", Text{"1024 bit", "1024 bits"}}, {"exponent-1", Text{"số mũ 1", "exponent 1"}}},
		hooks: hooks{
			idToken: func(x *Exchange, t *JWT) {
				t.Header.Set("alg", "RS256")
				t.Header.Set("kid", weakKID)
				t.Sign = signWeak(x.Variant)
			},
			jwks: func(x *Exchange, o *Object) { setKeys(o, append(keysOf(o), weakJWK(x.Variant).Bytes())) },
		},
	},
	{
		ID: "D27", Name: "crit-unknown", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Phần mở rộng bắt buộc không ai biết", "A critical extension that nobody knows"},
		What:  Text{"Tiêu đề có crit với một tên lạ; chữ ký đúng.", "The header has crit with an unknown name; the signature is right."},
		Right: Text{"Từ chối: không hiểu thì không được nhận.", "Refuse what is critical and not understood."},
		Spec:  []string{"RFC 7515 §4.1.11"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Header.Set("crit", []string{"b64x"})
			t.Header.Set("b64x", true)
		}},
	},
	{
		ID: "D28", Name: "b64-false", Grade: Should, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Nội dung không mã hóa base64", "An unencoded payload"},
		What:  Text{"Tiêu đề nói b64 false (RFC 7797), chữ ký tính theo đó.", "The header says b64 false (RFC 7797), and the signature is made that way."},
		Right: Text{"JWT không được dùng b64; từ chối.", "JWTs must not use b64; refuse."},
		Spec:  []string{"RFC 7797 §7"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			t.Header.Set("b64", false)
			t.Header.Set("crit", []string{"b64"})
			t.Sign = func(input []byte) []byte {
				head, _, _ := strings.Cut(string(input), ".")
				signature, err := t.signer(x.Ctx(), t.kid, append([]byte(head+"."), t.Claims.Bytes()...))
				x.engine.must(x, err)
				return signature
			}
		}},
	},
	{
		ID: "D29", Name: "typ-odd", Grade: Should, Seam: SeamJOSE, Signals: unnoticed,
		Title:    Text{"typ của loại token khác", "The typ of another kind of token"},
		What:     Text{"typ là at+jwt hoặc logout+jwt.", "typ is at+jwt or logout+jwt."},
		Right:    Text{"Phân biệt các loại token.", "Tell kinds of tokens apart."},
		Spec:     []string{"RFC 8725 §3.11"},
		Variants: []Variant{{"at-jwt", Text{"at+jwt", "an access token's"}}, {"logout-jwt", Text{"logout+jwt", "a logout token's"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			if x.Variant == "logout-jwt" {
				t.Header.Set("typ", "logout+jwt")
				return
			}
			t.Header.Set("typ", "at+jwt")
		}},
	},
	{
		ID: "D30", Name: "json-serialization", Grade: Must, Seam: SeamJOSE, Signals: unnoticed,
		Title: Text{"JWS dạng JSON", "JWS as JSON"},
		What:  Text{"id_token là JWS dạng JSON, chữ ký đúng.", "id_token is a JWS in JSON serialisation, rightly signed."},
		Right: Text{"Chỉ nhận dạng compact.", "Take the compact form only."},
		Spec:  []string{"OIDC Core §2", "RFC 7519 §1"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Alter = func(compact string) string {
				parts := strings.Split(compact, ".")
				return string(encode(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]}))
			}
		}},
	},
	{
		ID: "D31", Name: "base64-odd", Grade: Either, Seam: SeamJOSE, Signals: forPeople,
		Title:    Text{"base64 không chuẩn", "Odd base64"},
		What:     Text{"Chữ ký có đệm =, bảng chữ chuẩn, hoặc xuống dòng.", "The signature is padded, in the standard alphabet, or has a line break."},
		Right:    Text{"Từ chối hoặc chấp nhận, luôn như nhau.", "Refuse or take it, always the same way."},
		Spec:     []string{"RFC 7515 §2"},
		Variants: []Variant{{"padded", Text{"có đệm", "padded"}}, {"standard", Text{"bảng chữ chuẩn", "the standard alphabet"}}, {"newline", Text{"xuống dòng", "a line break"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			variant := x.Variant
			t.Alter = func(compact string) string {
				at := strings.LastIndexByte(compact, '.') + 1
				signature, err := b64.DecodeString(compact[at:])
				switch {
				case err != nil:
					return compact
				case variant == "standard":
					return compact[:at] + base64.RawStdEncoding.EncodeToString(signature)
				case variant == "newline":
					return compact[:at] + "\n" + compact[at:]
				}
				return compact[:at] + base64.URLEncoding.EncodeToString(signature)
			}
		}},
	},
	{
		ID: "D32", Name: "ecdsa-malformed", Grade: Must, Seam: SeamJOSE, Signals: unnoticed, Skippable: leftToTLS,
		Title:    Text{"Chữ ký ECDSA sai dạng", "A malformed ECDSA signature"},
		What:     Text{"ES256 với r và s bằng 0, hoặc chữ ký dạng DER.", "ES256 with r and s of zero, or a signature in DER."},
		Right:    Text{"Kiểm tra dạng và giá trị; từ chối.", "Check form and values; refuse."},
		Spec:     []string{"RFC 7518 §3.4"},
		Variants: []Variant{{"zero", Text{"r = s = 0", "r and s are zero"}}, {"der", Text{"dạng DER", "in DER"}}},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			kid := x.kidOf("ES256")
			if kid == "" {
				x.Untouched()
				return
			}
			t.Header.Set("alg", "ES256")
			t.Header.Set("kid", kid)
			if x.Variant == "der" {
				t.Sign = func(input []byte) []byte {
					raw, err := t.signer(x.Ctx(), kid, input)
					x.engine.must(x, err)
					return derOf(raw)
				}
				return
			}
			t.Sign = func([]byte) []byte { return make([]byte, 64) }
		}},
	},
}
