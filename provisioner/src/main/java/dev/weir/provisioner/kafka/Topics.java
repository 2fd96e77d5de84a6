// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.kafka;

import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Creates the topics, knows their ids, and says which nodes may use them. */
@Component
public class Topics {
    private static final Logger log = LoggerFactory.getLogger(Topics.class);
    private static final Duration IDS_STAY_FRESH = Duration.ofSeconds(5);
    private static final long TIMEOUT_S = 10;

    private final KafkaClients clients;
    private @Nullable Admin admin;
    private Map<Topic, String> ids = Map.of();
    private long idsReadAt;

    Topics(KafkaClients clients) {
        this.clients = clients;
    }

    /**
     * Kafka's id of a topic, at most 5 s old. A topic that is missing is created: its id is then one that nobody has
     * seen, and whoever kept positions in the old one starts over.
     *
     * @throws KafkaUnavailableException if Kafka does not answer in time
     */
    public synchronized String id(Topic topic) {
        if (ids.isEmpty() || System.nanoTime() - idsReadAt > IDS_STAY_FRESH.toNanos()) {
            ids = ensure();
            idsReadAt = System.nanoTime();
        }
        String id = ids.get(topic);
        if (id == null) {
            throw new IllegalStateException("no id of " + topic);
        }
        return id;
    }

    private Map<Topic, String> ensure() {
        Map<Topic, String> found = new EnumMap<>(Topic.class);
        List<Topic> missing = new ArrayList<>();
        Map<String, KafkaFuture<TopicDescription>> descriptions = admin().describeTopics(
                        List.of(Topic.values()).stream().map(Topic::topicName).toList())
                .topicNameValues();
        for (Topic topic : Topic.values()) {
            KafkaFuture<TopicDescription> description = descriptions.get(topic.topicName());
            if (description == null) {
                throw new IllegalStateException("no description of " + topic);
            }
            try {
                found.put(topic, checked(topic, get(description, "describe " + topic.topicName())));
            } catch (KafkaUnavailableException e) {
                if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                    missing.add(topic);
                } else {
                    throw e;
                }
            }
        }
        for (Topic topic : missing) {
            found.put(topic, create(topic));
        }
        return found;
    }

    private static String checked(Topic topic, TopicDescription description) {
        if (description.partitions().size() != topic.partitions()) {
            // Keys would be sought in partitions that they are not in.
            log.atError()
                    .addKeyValue("topic", topic.topicName())
                    .addKeyValue("partitions", description.partitions().size())
                    .addKeyValue("expected", topic.partitions())
                    .log("topic has the wrong number of partitions");
            throw new IllegalStateException(topic.topicName() + " must have " + topic.partitions() + " partitions");
        }
        return description.topicId().toString();
    }

    private String create(Topic topic) {
        NewTopic created = new NewTopic(topic.topicName(), Optional.of(topic.partitions()), Optional.empty());
        created.configs(topic.config());
        try {
            String id = get(
                            admin().createTopics(List.of(created)).topicId(topic.topicName()),
                            "create " + topic.topicName())
                    .toString();
            log.atInfo().addKeyValue("topic", topic.topicName()).log("topic created");
            return id;
        } catch (KafkaUnavailableException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return checked(
                        topic,
                        get(
                                admin().describeTopics(List.of(topic.topicName()))
                                        .topicNameValues()
                                        .getOrDefault(topic.topicName(), KafkaFuture.completedFuture(null)),
                                "describe " + topic.topicName()));
            }
            throw e;
        }
    }

    /** Lets nodes read their configuration and write their reports, and nothing else. Idempotent. */
    public void admit(Collection<String> nodeIds) {
        List<AclBinding> bindings = nodeIds.stream()
                .flatMap(id -> List.of(Topic.values()).stream().flatMap(topic -> bindings(id, topic).stream()))
                .toList();
        if (!bindings.isEmpty()) {
            get(admin().createAcls(bindings).all(), "create access rules");
        }
    }

    /** Takes a removed node's rights away. Idempotent. */
    public void expel(Collection<String> nodeIds) {
        List<AclBindingFilter> filters = nodeIds.stream()
                .flatMap(id -> List.of(Topic.values()).stream().flatMap(topic -> bindings(id, topic).stream()))
                .map(AclBinding::toFilter)
                .toList();
        if (!filters.isEmpty()) {
            get(admin().deleteAcls(filters).all(), "delete access rules");
        }
    }

    private static List<AclBinding> bindings(String nodeId, Topic topic) {
        AclOperation operation = switch (topic) {
            case CONFIG, POPS -> AclOperation.READ;
            case WATERMARKS, HEALTH, METRICS, FLOWS -> AclOperation.WRITE;
        };
        ResourcePattern resource = new ResourcePattern(ResourceType.TOPIC, topic.topicName(), PatternType.LITERAL);
        return List.of(operation, AclOperation.DESCRIBE).stream()
                .map(allowed -> new AclBinding(
                        resource, new AccessControlEntry("User:" + nodeId, "*", allowed, AclPermissionType.ALLOW)))
                .toList();
    }

    private synchronized Admin admin() {
        Admin current = admin;
        if (current == null) {
            current = clients.admin();
            admin = current;
        }
        return current;
    }

    private static <T> T get(KafkaFuture<T> future, String what) {
        try {
            return future.get(TIMEOUT_S, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaUnavailableException("interrupted: " + what, e);
        } catch (ExecutionException e) {
            throw new KafkaUnavailableException("cannot " + what, e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaUnavailableException("cannot " + what + " in time", e);
        }
    }

    @PreDestroy
    synchronized void close() {
        if (admin != null) {
            admin.close(Duration.ofSeconds(1));
        }
    }
}
