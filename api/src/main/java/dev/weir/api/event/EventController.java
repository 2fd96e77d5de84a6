// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.event;

import dev.weir.api.access.Access;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.event.EventRows;
import dev.weir.db.event.EventRows.Position;
import dev.weir.db.event.EventRows.Selection;
import dev.weir.rest.v1.EventsApi;
import dev.weir.rest.v1.model.Event;
import dev.weir.rest.v1.model.EventKind;
import dev.weir.rest.v1.model.EventPage;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** What happened to a project's resources: as pages, or as a stream that goes on where another ended. */
@RestController
final class EventController implements EventsApi {
    private static final Logger log = LoggerFactory.getLogger(EventController.class);

    private static final TypeReference<Map<String, Object>> DETAILS = new TypeReference<>() {};
    private static final Duration LOOK_EACH = Duration.ofSeconds(1);
    private static final int BATCH = 200;
    /** A stream outlives neither its caller's token by much, nor a restart of what is in between. */
    private static final int MAX_LOOKS = 300;

    private static final int SIGN_OF_LIFE_LOOKS = 15;

    private final Access access;
    private final EventRows events;
    private final Followers followers;
    private final JsonMapper json;

    EventController(Access access, EventRows events, Followers followers, JsonMapper json) {
        this.access = access;
        this.events = events;
        this.followers = followers;
        this.json = json;
    }

    @Override
    public ResponseEntity<EventPage> listEvents(
            String projectId,
            Integer limit,
            @Nullable String cursor,
            @Nullable EventKind kind,
            @Nullable String resource,
            Boolean follow,
            @Nullable String lastEventID) {
        int rows = Pages.rows(limit);
        Selection selection = selection(kind, resource);
        return access.read(projectId, in -> {
            Position before = cursor == null ? null : position(in.projectId(), "cursor", cursor);
            Pages<EventRows.Event> page =
                    Pages.of(events.before(in.projectId(), before, selection, rows), limit, EventController::id);
            return ResponseEntity.ok(new EventPage()
                    .items(page.items().stream().map(this::rest).toList())
                    .nextCursor(
                            page.nextCursor() == null ? null : id(page.items().getLast())));
        });
    }

    /** The same with {@code follow=true}: one virtual thread each, which mostly sleeps. */
    @GetMapping(
            path = EventsApi.PATH_LIST_EVENTS,
            params = "follow=true",
            produces = {MediaType.TEXT_EVENT_STREAM_VALUE, MediaType.APPLICATION_PROBLEM_JSON_VALUE})
    void listEvents(
            @PathVariable("project_id") String projectId,
            @RequestParam(name = "kind", required = false) @Nullable EventKind kind,
            @RequestParam(name = "resource", required = false) @Nullable String resource,
            @RequestHeader(name = "Last-Event-ID", required = false) @Nullable String lastEventId,
            HttpServletResponse response) {
        Selection selection = selection(kind, resource);
        record Start(String subject, Position position) {}
        Start start = access.read(
                projectId,
                in -> new Start(
                        in.subject(),
                        lastEventId == null ? events.now() : position(in.projectId(), "Last-Event-ID", lastEventId)));
        try (Followers.Place place = followers.enter(start.subject())) {
            response.setContentType(MediaType.TEXT_EVENT_STREAM_VALUE);
            response.setHeader("Cache-Control", "no-store");
            // Clients come back a second after the end of a stream.
            response.getOutputStream().write("retry: 1000\n\n".getBytes(StandardCharsets.UTF_8));
            response.flushBuffer();
            follow(projectId, start.position(), selection, response.getOutputStream());
        } catch (IOException e) {
            log.debug("Reader of events went away cause=\"{}\"", e.toString());
        }
    }

    private void follow(String projectId, Position start, Selection selection, OutputStream out) throws IOException {
        Position position = start;
        for (int look = 0; look < MAX_LOOKS && followers.isRunning(); ) {
            List<EventRows.Event> batch;
            try {
                Position from = position;
                // Let in anew each time: who loses the right to see the project loses the stream.
                batch = access.read(projectId, in -> events.after(in.projectId(), from, selection, BATCH));
            } catch (ProblemException | DataAccessException | TransactionException e) {
                return;
            }
            for (EventRows.Event event : batch) {
                write(out, event);
                position = event.position();
            }
            if (batch.size() < BATCH) {
                look++;
                if (look % SIGN_OF_LIFE_LOOKS == 0) {
                    out.write(":\n\n".getBytes(StandardCharsets.UTF_8));
                }
                out.flush();
                if (!pause()) {
                    return;
                }
            }
        }
    }

    private void write(OutputStream out, EventRows.Event event) throws IOException {
        String text = "id: %s\nevent: %s\ndata: %s\n\n"
                .formatted(id(event), event.kind(), json.writeValueAsString(rest(event)));
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean pause() {
        try {
            Thread.sleep(LOOK_EACH);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static Selection selection(@Nullable EventKind kind, @Nullable String resource) {
        UUID loadBalancer = resource != null && ResourceId.LOAD_BALANCER.matches(resource)
                ? ResourceId.LOAD_BALANCER.parse(resource)
                : null;
        return new Selection(kind == null ? null : kind.getValue(), resource, loadBalancer);
    }

    private Position position(UUID projectId, String parameter, String eventId) {
        if (!ResourceId.EVENT.matches(eventId)) {
            throw Pages.invalid(parameter, "is not the id of an event");
        }
        return events.find(projectId, ResourceId.EVENT.parse(eventId))
                .orElseThrow(() -> Pages.invalid(parameter, "names an event that is not kept any more"));
    }

    private static String id(EventRows.Event event) {
        return ResourceId.EVENT.format(event.position().id());
    }

    private Event rest(EventRows.Event event) {
        UUID loadBalancer = event.loadBalancerId();
        return new Event()
                .id(id(event))
                .kind(EventKind.fromValue(event.kind()))
                .resource(event.resource())
                .loadBalancerId(loadBalancer == null ? null : ResourceId.LOAD_BALANCER.format(loadBalancer))
                .details(json.readValue(event.details(), DETAILS))
                .createdAt(Times.of(event.createdAt()));
    }
}
