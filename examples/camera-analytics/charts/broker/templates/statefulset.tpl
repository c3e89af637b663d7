apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "broker.name" . }}
  labels: {{- include "broker.labels" . | nindent 4 }}
spec:
  serviceName: {{ include "broker.name" . }}
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {{- include "broker.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "broker.selector" . | nindent 8 }}
      annotations:
        checksum/config: {{ include (print $.Template.BasePath "/configmap.tpl") . | sha256sum }}
    spec:
      serviceAccountName: {{ include "broker.name" . }}
      terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
      containers:
        - name: broker
          image: {{ .Values.image }}
          ports:
            - name: mqtt
              containerPort: {{ .Values.port }}
          readinessProbe:
            tcpSocket: {port: mqtt}
          resources: {{- toYaml .Values.resources | nindent 12 }}
          volumeMounts:
            - {name: config, mountPath: /mosquitto/config}
            - {name: data, mountPath: /mosquitto/data}
      volumes:
        - name: config
          configMap: {name: {{ include "broker.name" . }}}
        {{- if not .Values.storage.persistent }}
        - name: data
          emptyDir: {}
        {{- end }}
  {{- if .Values.storage.persistent }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .Values.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests: {storage: {{ .Values.storage.size }}}
  {{- end }}
