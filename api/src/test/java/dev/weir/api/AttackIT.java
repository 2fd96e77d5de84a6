// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.Contract.Operation;
import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Every operation of the contract, called by everybody: what {@code x-permission} does not grant is refused, and whoever
 * may not see a project cannot tell it from one that is not there. An operation that is added to the contract is attacked
 * without anything being added here.
 */
class AttackIT {
    private static final List<String> ROLES = List.of("viewer", "maintainer", "editor", "admin");
    private static final String NOBODYS = "00000000000000000000000000000001";
    private static final Contract CONTRACT = new Contract();

    private static RunningApi api;
    private static TestProject acme;
    private static TestProject globex;
    /** Tokens of acme's project by role. */
    private static final Map<String, String> TOKENS = new LinkedHashMap<>();
    /** Ids of what acme has, by parameter of a path. */
    private static final Map<String, String> OWN = new TreeMap<>();

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("attacked", "10.50.0.0/24");
        globex = api.project("attacker", "10.50.0.0/24");
        for (String role : ROLES) {
            Answer account = RunningApi.created(api.post(
                    acme.token(),
                    acme.path("/service-accounts"),
                    "{\"name\": \"%s\", \"role\": \"%s\"}".formatted(role, role)));
            TOKENS.put(role, api.token(account.text("client_id"), account.text("client_secret")));
        }
        String vip = RunningApi.created(api.post(acme.token(), acme.path("/vips"), """
                {"name": "www", "address_pool_id": "%s"}""".formatted(api.addressPool())))
                .text("id");
        RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "web", "vip_ids": ["%s"],
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [{"address": "10.50.0.1"}],
                     "health_monitor": {"type": "tcp_connect"}}]}""".formatted(vip)));
        RunningApi.created(api.post(
                acme.token(), acme.path("/prefix-lists"), "{\"name\": \"office\", \"cidrs\": [\"192.0.2.0/24\"]}"));
        CONTRACT.operations().forEach(operation -> operation.parameters().forEach(AttackIT::remember));
        OWN.put("project_id", acme.projectId());
    }

    /** What acme has of this kind; of kinds that it has none of, an id that nobody has. */
    private static void remember(String parameter, String example) {
        String prefix = example.substring(0, example.indexOf('_') + 1);
        String table = parameter.substring(0, parameter.length() - "_id".length()) + "s";
        boolean ofProjects = api.query("""
                select count(*) from information_schema.columns where table_name = '%s' and column_name = 'project_id'""".formatted(table)).equals("1");
        String id = ofProjects
                ? api.query("select replace(min(id::text), '-', '') from %s where project_id = '%s'"
                        .formatted(table, acme.projectId().substring(4)))
                : NOBODYS;
        OWN.put(parameter, prefix + (id.equals("null") ? NOBODYS : id));
    }

    static Stream<Operation> operations() {
        return CONTRACT.operations().stream().filter(operation -> !operation.open());
    }

    static Stream<Operation> operationsInProjects() {
        return operations().filter(Operation::inProject);
    }

    /** Ids that nobody has, in the given project. */
    private static Map<String, String> nobodys(Operation operation, String projectId) {
        Map<String, String> ids = new HashMap<>();
        operation
                .parameters()
                .forEach((name, example) -> ids.put(name, example.substring(0, example.indexOf('_') + 1) + NOBODYS));
        ids.put("project_id", projectId);
        return ids;
    }

    private static Answer call(@Nullable String token, Operation operation, Map<String, String> ids) {
        Map<String, Object> schema = operation.body();
        return call(token, operation, ids, schema == null ? null : CONTRACT.smallest(schema));
    }

    private static Answer call(
            @Nullable String token, Operation operation, Map<String, String> ids, @Nullable Object body) {
        boolean conditional = List.of("PUT", "PATCH", "DELETE").contains(operation.method());
        return api.call(
                token,
                operation.method(),
                operation.path(ids),
                body == null ? null : Contract.json(body),
                conditional ? Map.of("If-Match", "\"1\"") : Map.of());
    }

    private static boolean allows(String permission, String role) {
        for (String alternative : permission.split(" or ", -1)) {
            if (alternative.equals("authenticated")) {
                return true;
            }
            if (alternative.startsWith("project:")
                    && ROLES.contains(role)
                    && ROLES.indexOf(role) >= ROLES.indexOf(alternative.substring("project:".length()))) {
                return true;
            }
            if (alternative.equals("operator") && role.equals("operator")) {
                return true;
            }
        }
        return false;
    }

    @ParameterizedTest
    @MethodSource("operations")
    void everyRoleMayDoWhatTheContractSaysAndNoMore(Operation operation) {
        Map<String, String> tokens = new LinkedHashMap<>(TOKENS);
        tokens.put("operator", api.operatorToken());
        tokens.forEach((role, token) -> {
            int status =
                    call(token, operation, nobodys(operation, acme.projectId())).status();
            if (allows(operation.permission(), role)) {
                assertThat(status).as("%s as %s", operation, role).isNotIn(401, 403, 500);
            } else {
                assertThat(status).as("%s as %s", operation, role).isEqualTo(403);
            }
        });
    }

    @ParameterizedTest
    @MethodSource("operationsInProjects")
    void aForeignProjectAnswersAsOneThatIsNotThere(Operation operation) {
        Answer foreign = call(globex.token(), operation, OWN);
        Answer none = call(globex.token(), operation, nobodys(operation, "prj_" + NOBODYS));
        // What is the fleet's alone is refused before anybody looks for the project.
        int expected = operation.permission().equals("operator") ? 403 : 404;

        assertThat(foreign.status()).isEqualTo(expected);
        assertThat(none.status()).isEqualTo(expected);
        assertThat(foreign.text("detail")).isEqualTo(none.text("detail"));
        assertThat(headers(foreign)).isEqualTo(headers(none));
    }

    /** Without those of the connection, which say nothing of what was answered. */
    private static Set<String> headers(Answer answer) {
        Set<String> names = new TreeSet<>(answer.headers().keySet());
        names.removeAll(Set.of("connection", "content-length", "keep-alive", "transfer-encoding"));
        return names;
    }

    @ParameterizedTest
    @MethodSource("operationsInProjects")
    void aForeignIdInTheOwnProjectAnswersAsOneThatIsNotThere(Operation operation) {
        if (operation.parameters().size() < 2) {
            // Names nothing but the project.
            return;
        }
        Map<String, String> mixed = new HashMap<>(OWN);
        mixed.put("project_id", globex.projectId());

        Answer foreign = call(globex.token(), operation, mixed);
        Answer none = call(globex.token(), operation, nobodys(operation, globex.projectId()));

        assertThat(foreign.status()).isEqualTo(404);
        assertThat(foreign.text("detail")).isEqualTo(none.text("detail"));
    }

    @ParameterizedTest
    @MethodSource("operationsInProjects")
    void aForeignIdInABodyIsRefusedAsOneThatIsNotThere(Operation operation) {
        Map<String, Object> schema = operation.body();
        if (schema == null) {
            return;
        }
        OWN.forEach((property, id) -> CONTRACT.bodiesNaming(schema, property).forEach((place, body) -> {
            String nobodys = id.substring(0, id.indexOf('_') + 1) + NOBODYS;
            Answer foreign =
                    call(globex.token(), operation, nobodys(operation, globex.projectId()), with(body, place, id));
            Answer none =
                    call(globex.token(), operation, nobodys(operation, globex.projectId()), with(body, place, nobodys));

            assertThat(foreign.status())
                    .as("%s %s", operation, place)
                    .isBetween(400, 499)
                    .isEqualTo(none.status());
        }));
    }

    private static Map<String, Object> with(Map<String, Object> body, String place, String id) {
        Map<String, Object> changed = new LinkedHashMap<>(body);
        changed.put(place, place.endsWith("s") ? List.of(id) : id);
        return changed;
    }

    @ParameterizedTest
    @MethodSource("operations")
    void withoutAGoodTokenNothingIsAnswered(Operation operation) {
        String[] good = acme.token().split("\\.");
        String none = base64("{\"alg\":\"none\",\"typ\":\"JWT\"}") + "." + good[1] + ".";
        String signedByAnother = good[0] + "." + good[1] + "." + new StringBuilder(good[2]).reverse();
        String claimingMore = good[0] + "."
                + base64(claims(good[1]).replace("\"weir-api\"", "[\"weir-api\", \"weir-operator\"]")) + "." + good[2];

        for (String token : java.util.Arrays.asList(null, none, signedByAnother, claimingMore, "nonsense")) {
            Answer answer = call(token, operation, nobodys(operation, acme.projectId()));

            assertThat(answer.status()).as("%s with %s", operation, token).isEqualTo(401);
            assertThat(answer.text("code")).isEqualTo("UNAUTHENTICATED");
        }
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String claims(String part) {
        return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @MethodSource("operationsInProjects")
    void aForeignCursorOrNameInAListFindsOnlyTheOwn(Operation operation) {
        boolean list = operation.method().equals("GET")
                && operation.parameters().size() == 1
                && !operation.path().endsWith("}");
        if (!list) {
            return;
        }
        Map<String, String> own = Map.of("project_id", globex.projectId());
        String path = operation.path(own);
        String cursor = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString("00000000-0000-0000-0000-000000000000".getBytes(StandardCharsets.UTF_8));

        for (String query : List.of("", "?name=web", "?name=www", "?cursor=" + cursor)) {
            Answer answer = api.get(globex.token(), path + query);

            for (JsonNode item : answer.body().path("items")) {
                assertThat(item.toString()).as(path + query).doesNotContain(acme.projectId());
            }
        }
    }

    @Test
    void anIdempotencyKeyOfAnotherProjectIsOnesOwn() {
        String body = "{\"name\": \"same\"}";
        Map<String, String> key = Map.of("Idempotency-Key", "shared-by-chance");

        Answer theirs = RunningApi.created(api.call(acme.token(), "POST", acme.path("/vips"), body, key));
        Answer ours = RunningApi.created(api.call(globex.token(), "POST", globex.path("/vips"), body, key));

        assertThat(ours.text("id")).isNotEqualTo(theirs.text("id"));
        assertThat(ours.text("project_id")).isEqualTo(globex.projectId());
    }

    @Test
    void everythingThatPathsNameIsThereToBeAttacked() {
        Map<String, String> missing = new TreeMap<>();
        CONTRACT.operations().stream()
                .filter(Operation::inProject)
                .flatMap(operation -> operation.parameters().keySet().stream())
                .forEach(parameter -> {
                    if (Objects.requireNonNull(OWN.get(parameter)).endsWith(NOBODYS)) {
                        missing.put(parameter, "make one in start()");
                    }
                });

        assertThat(missing).isEmpty();
    }
}
