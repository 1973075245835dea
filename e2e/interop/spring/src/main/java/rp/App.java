package rp;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A relying party by Spring Security: discovery from issuer-uri, state, nonce, RS256, userinfo. */
@SpringBootApplication
@RestController
public class App {
  public static void main(String[] args) {
    SpringApplication.run(App.class, args);
  }

  @Bean
  SecurityFilterChain chain(HttpSecurity http) throws Exception {
    return http.authorizeHttpRequests(r -> r.requestMatchers("/").permitAll().anyRequest().authenticated())
        .oauth2Login(o -> o.redirectionEndpoint(e -> e.baseUri("/callback")).defaultSuccessUrl("/", true)).build();
  }

  @GetMapping("/")
  String home(@AuthenticationPrincipal OidcUser user) {
    return user == null ? "signed out" : "signed in: " + user.getFullName();
  }
}
