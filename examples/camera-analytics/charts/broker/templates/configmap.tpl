apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "broker.name" . }}
  labels: {{- include "broker.labels" . | nindent 4 }}
data:
  mosquitto.conf: |
    listener {{ .Values.port }}
    allow_anonymous true
    persistence {{ .Values.storage.persistent }}
    persistence_location /mosquitto/data/
    max_queued_messages {{ .Values.maxQueuedMessages }}
