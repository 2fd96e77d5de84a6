// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import tools.jackson.databind.json.JsonMapper;

/**
 * Serves the built dashboard on the loopback address and passes {@code /v1} on to the API, so that a browser meets one origin.
 *
 * <p>Arguments: port, directory of the built dashboard, address of the API, Keycloak's issuer.
 */
final class DashboardServer {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "json", "application/json",
            "svg", "image/svg+xml",
            "png", "image/png",
            "woff2", "font/woff2",
            "ico", "image/x-icon",
            "txt", "text/plain; charset=utf-8");
    private static final Set<String> HOP_BY_HOP = Set.of(
            "connection",
            "keep-alive",
            "transfer-encoding",
            "upgrade",
            "te",
            "trailer",
            "content-length",
            "host",
            "proxy-authorization",
            "proxy-authenticate",
            "expect",
            "http2-settings");
    private static final Duration LONGEST_ANSWER = Duration.ofSeconds(60);

    private final Path files;
    private final URI api;
    private final String issuer;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();

    private DashboardServer(Path files, URI api, String issuer) {
        this.files = files;
        this.api = api;
        this.issuer = issuer;
    }

    public static void main(String[] arguments) throws IOException {
        DashboardServer dashboard =
                new DashboardServer(Path.of(arguments[1]).toRealPath(), URI.create(arguments[2]), arguments[3]);
        HttpServer server = HttpServer.create(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0])), 64);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> answer(exchange, dashboard::file));
        server.createContext("/config.json", exchange -> answer(exchange, dashboard::config));
        server.createContext("/v1/", exchange -> answer(exchange, dashboard::forward));
        server.start();
        System.out.println("serving " + dashboard.files + " on " + server.getAddress());
    }

    private interface Handler {
        void handle(HttpExchange exchange) throws IOException, InterruptedException;
    }

    private static void answer(HttpExchange exchange, Handler handler) throws IOException {
        try (exchange) {
            handler.handle(exchange);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void config(HttpExchange exchange) throws IOException {
        byte[] body = JsonMapper.shared()
                .writeValueAsBytes(Map.of("issuer", issuer, "clientId", "weir-dashboard", "apiBaseUrl", ""));
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        send(exchange, 200, body);
    }

    private void file(HttpExchange exchange) throws IOException {
        if (!List.of("GET", "HEAD").contains(exchange.getRequestMethod())) {
            exchange.getResponseHeaders().set("Allow", "GET, HEAD");
            send(exchange, 405, new byte[0]);
            return;
        }
        String name = exchange.getRequestURI().getPath().substring(1);
        Path file = files.resolve(name).normalize();
        boolean found = !name.isEmpty() && file.startsWith(files) && Files.isRegularFile(file);
        boolean asset = name.startsWith("assets/");
        if (!found && asset) {
            // A page of an older build asks for its own files; the newest page's would not fit them.
            send(exchange, 404, new byte[0]);
            return;
        }
        Path served = found ? file : files.resolve("index.html");
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", type(served));
        headers.set("Cache-Control", asset ? "public, max-age=31536000, immutable" : "no-cache");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Content-Security-Policy", policy());
        send(exchange, 200, Files.readAllBytes(served));
    }

    private String policy() {
        URI address = URI.create(issuer);
        String origin = address.getScheme() + "://" + address.getRawAuthority();
        return String.join(
                "; ",
                "default-src 'self'",
                "style-src 'self' 'unsafe-inline'",
                "connect-src 'self' " + origin,
                "frame-src " + origin,
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self' " + origin,
                "frame-ancestors 'none'");
    }

    private void forward(HttpExchange exchange) throws IOException, InterruptedException {
        String query = exchange.getRequestURI().getRawQuery();
        URI target = api.resolve(exchange.getRequestURI().getRawPath() + (query == null ? "" : "?" + query));
        byte[] body = exchange.getRequestBody().readAllBytes();
        HttpRequest.Builder request = HttpRequest.newBuilder(target)
                .timeout(LONGEST_ANSWER)
                .method(
                        exchange.getRequestMethod(),
                        body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        exchange.getRequestHeaders().forEach((name, values) -> {
            if (!HOP_BY_HOP.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
            }
        });
        HttpResponse<InputStream> response;
        try {
            response = http.send(request.build(), BodyHandlers.ofInputStream());
        } catch (IOException _) {
            exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
            exchange.getResponseHeaders().set("Retry-After", "2");
            send(exchange, 503, """
                    {"type":"about:blank","title":"The API is away","status":503,"code":"API_UNAVAILABLE"}""".getBytes(StandardCharsets.UTF_8));
            return;
        }
        response.headers().map().forEach((name, values) -> {
            if (!HOP_BY_HOP.contains(name.toLowerCase(Locale.ROOT)) && !name.startsWith(":")) {
                values.forEach(value -> exchange.getResponseHeaders().add(name, value));
            }
        });
        try (InputStream in = response.body()) {
            boolean empty = response.statusCode() == 204 || response.statusCode() == 304;
            exchange.sendResponseHeaders(response.statusCode(), empty ? -1 : 0);
            if (!empty) {
                copy(in, exchange);
            }
        }
    }

    // Flushed piece by piece: an event stream's events must not wait for a full buffer.
    private static void copy(InputStream in, HttpExchange exchange) throws IOException {
        byte[] buffer = new byte[16 * 1024];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            exchange.getResponseBody().write(buffer, 0, read);
            exchange.getResponseBody().flush();
        }
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean head = "HEAD".equals(exchange.getRequestMethod());
        exchange.sendResponseHeaders(status, head || body.length == 0 ? -1 : body.length);
        if (!head && body.length > 0) {
            exchange.getResponseBody().write(body);
        }
    }

    private static String type(Path file) {
        String name = file.getFileName().toString();
        String ending = name.substring(name.lastIndexOf('.') + 1);
        return TYPES.getOrDefault(ending, "application/octet-stream");
    }
}
