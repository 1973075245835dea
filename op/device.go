package op

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Device authorization, RFC 8628: for kiosks at one-stop offices. What the
// citizen opens on the phone is the phone app, so the code of a device is a QR
// code like any other.

// deviceOrigin is where a device asks from, for the phone to show.
type deviceOrigin struct{}

// withOrigin keeps what the library does not hand on: who sent the request.
func withOrigin(next http.HandlerFunc, originOf func(*http.Request) vneid.Origin) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		next(w, r.WithContext(context.WithValue(r.Context(), deviceOrigin{}, originOf(r))))
	}
}

// DeviceAuthorization begins a login on a device, RFC 8628 §3.1.
func (s *backChannelServer) DeviceAuthorization(ctx context.Context, r *zitadel.ClientRequest[oidc.DeviceAuthorizationRequest]) (*zitadel.Response, error) {
	client := r.Client.(libraryClient).c
	if !client.AllowsGrant(vneid.DeviceGrant) {
		s.p.logRefusal(ctx, "unauthorized_client", "not registered for devices", "client.grant_type", []string{vneid.DeviceGrant, strings.Join(client.GrantTypes, " ")}, slog.String("client_id", client.ClientID))
		return nil, oidc.ErrUnauthorizedClient().WithDescription("the client is not registered for the grant type of devices")
	}
	var req vneid.AuthRequest
	if err := readScopes(&req, client, strings.Join(r.Data.Scopes, " ")); err != nil {
		var refused *refusal
		errors.As(err, &refused)
		s.p.logRefusal(ctx, refused.code, refused.text, refused.hint, refused.args, slog.String("client_id", client.ClientID))
		return nil, oidc.ErrInvalidScope().WithDescription("%s", refused.text)
	}
	origin, _ := ctx.Value(deviceOrigin{}).(vneid.Origin)
	l, code, err := s.p.service.BeginDevice(ctx, client, req.Scopes, origin)
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	vneid.TrailFrom(ctx).Answer("device_code", code)
	w := vneid.WorldFrom(ctx)
	help := s.p.pages.Help
	return zitadel.NewResponse(&oidc.DeviceAuthorizationResponse{
		DeviceCode: code, UserCode: l.QRShort(w.Salt), VerificationURI: help.ScanURL(w), VerificationURIComplete: l.QRCode(help.CodeURL(w), w.Salt),
		ExpiresIn: int(l.ExpiresAt.Sub(l.CreatedAt).Seconds()), Interval: int(vneid.DeviceInterval.Seconds()),
	}), nil
}

// DeviceToken answers a device that asks whether somebody confirmed, RFC 8628
// §3.4.
func (s *backChannelServer) DeviceToken(ctx context.Context, r *zitadel.ClientRequest[oidc.DeviceAccessTokenRequest]) (*zitadel.Response, error) {
	client := r.Client.(libraryClient).c
	place, err := s.p.keys.Enter()
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	defer place.Leave()
	grant, err := s.p.service.RedeemDevice(ctx, client, r.Data.DeviceCode)
	if err != nil {
		return nil, s.grantError(ctx, client, err)
	}
	return s.tokens(ctx, place, client, grant, "")
}

// deviceError is the error of RFC 8628 §3.5 for a refusal of the domain, nil for
// any other. (Some of the library's texts hold quotes, which RFC 6749 §5.2 does
// not allow.)
func deviceError(err error) error {
	switch vneid.MsgKey(err) {
	case "authorization_pending":
		return oidc.ErrAuthorizationPending().WithDescription("nobody confirmed yet; ask again after the interval")
	case "slow_down":
		return oidc.ErrSlowDown().WithDescription("asked too early: the interval is five seconds longer from now on")
	case "expired_token":
		return oidc.ErrExpiredDeviceCode().WithDescription("the device code expired; begin a new device authorization")
	case "access_denied":
		return oidc.ErrAccessDenied().WithDescription("the person refused on the phone")
	}
	return nil
}
