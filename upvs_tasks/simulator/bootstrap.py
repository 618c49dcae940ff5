"""The console's description of itself, with the keys that genuine clients read."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from upvs_tasks.simulator.accounts import Account
from upvs_tasks.simulator.behaviour import Behaviour
from upvs_tasks.simulator.camera_wire import NVR_MAC, UP_SINCE_MS

NVR_ID = "65a0f1c2d3e4b50387ff0001"

_GROUP_ID = "65a0f1c2d3e4b50387bb0001"
_RETENTION_MS = 30 * 86_400_000


def bootstrap_json(
    cameras: list[Mapping[str, object]],
    nvr: Mapping[str, object],
    accounts: Iterable[Account],
    account: Account,
) -> Mapping[str, object]:
    """Return what the web page asks for first."""
    empty = ("liveviews", "viewers", "lights", "bridges", "sensors", "doorlocks", "chimes")
    return {
        "authUserId": account.user_id,
        "accessKey": sha256(account.user_id.encode()).hexdigest()[:16],
        "cameras": cameras,
        "users": [_user(one) for one in accounts],
        "groups": [_group()],
        "nvr": nvr,
        "lastUpdateId": "8f4ff1c0-5b9c-4d3a-9f14-7e1fd3b9a001",
        **{key: [] for key in (*empty, "schedules", "ringtones", "aiports", "deviceGroups")},
    }


def nvr_json(behaviour: Behaviour, now_ms: int, host: str) -> Mapping[str, object]:
    """Return the recorder."""
    return {
        "id": NVR_ID,
        "modelKey": "nvr",
        "mac": NVR_MAC,
        "host": host,
        "name": "Simulated Console",
        "type": "UDM-PRO",
        "hardwareId": "00000000-0000-4000-8000-000000000001",
        "hardwarePlatform": "al324",
        "hardwareRevision": "113-03074-01",
        "marketName": "UDM Pro",
        "timezone": behaviour.timezone,
        "version": behaviour.version,
        "firmwareVersion": "3.2.12",
        "ucoreVersion": "3.2.12",
        "uiVersion": None,
        "upSince": UP_SINCE_MS,
        "uptime": max(0, now_ms - UP_SINCE_MS),
        "lastSeen": now_ms,
        "lastUpdateAt": None,
        "isConnectedToCloud": False,
        "cloudConnectionError": None,
        "recordingRetentionDurationMs": _RETENTION_MS,
        "hosts": [host],
        "releaseChannel": "release",
        "countryCode": "us",
        "hostType": 59925,
        "controllerUid": None,
        "cameraUtilization": 10,
        "avgMotions": [],
        "maxCameraCapacity": {"4K": 15, "HD": 50},
        "timeFormat": "24h",
        "temperatureUnit": "C",
        "network": "Ethernet",
        "ports": _ports(),
        "wifiSettings": {"useThirdPartyWifi": False, "ssid": None, "password": None},
        "locationSettings": _location(),
        "featureFlags": {"beta": False, "dev": False, "notificationsV2": True},
        "systemInfo": _system_info(),
        "doorbellSettings": _doorbell(),
        "smartDetectAgreement": {"status": "agreed", "lastUpdateAt": UP_SINCE_MS},
        "storageStats": _storage_stats(),
        **_NVR_SWITCHES,
    }


def _user(account: Account) -> Mapping[str, object]:
    return {
        "id": account.user_id,
        "modelKey": "user",
        "permissions": [],
        "lastLoginIp": None,
        "lastLoginTime": None,
        "isOwner": False,
        "enableNotifications": False,
        "hasAcceptedInvite": True,
        "allPermissions": list(account.permissions),
        "scopes": [],
        "location": None,
        "firstName": account.username.title(),
        "lastName": "",
        "name": account.username.title(),
        "email": "",
        "localUsername": account.username,
        "groups": [_GROUP_ID],
        "cloudAccount": None,
        "featureFlags": {"notificationsV2": True},
        "alertRules": [],
    }


def _group() -> Mapping[str, object]:
    return {
        "id": _GROUP_ID,
        "modelKey": "group",
        "name": "Local users",
        "type": "custom",
        "permissions": [],
        "isDefault": True,
    }


def _ports() -> Mapping[str, object]:
    return {
        "ump": 7449,
        "http": 7080,
        "https": 7443,
        "rtsp": 7447,
        "rtsps": 7441,
        "rtmp": 1935,
        "devicesWss": 7442,
        "cameraHttps": 7444,
        "cameraTcp": 7877,
        "liveWs": 7445,
        "liveWss": 7446,
        "tcpStreams": 7448,
        "playback": 7450,
        "emsCLI": 7440,
        "emsLiveFLV": 7550,
        "cameraEvents": 7551,
        "tcpBridge": 7888,
        "ucore": 11081,
        "discoveryClient": 0,
    }


def _location() -> Mapping[str, object]:
    return {
        "isAway": True,
        "isGeofencingEnabled": False,
        "latitude": 40.7,
        "longitude": -74.0,
        "radius": 200,
    }


def _doorbell() -> Mapping[str, object]:
    return {
        "defaultMessageText": "WELCOME",
        "defaultMessageResetTimeoutMs": 60_000,
        "customMessages": [],
        "allMessages": [{"type": "LEAVE_PACKAGE_AT_DOOR", "text": "LEAVE PACKAGE AT DOOR"}],
    }


def _system_info() -> Mapping[str, object]:
    return {
        "cpu": {"averageLoad": 5, "temperature": 50},
        "memory": {"available": 6_481_504, "free": 87_080, "total": 8_163_024},
        "storage": {
            "available": 21_796_939_214_848,
            "isRecycling": False,
            "size": 31_855_989_432_320,
            "type": "raid",
            "used": 8_459_815_895_040,
            "devices": [{"model": "ST16000VE000", "size": 16_000_900_661_248, "healthy": True}],
        },
        "tmpfs": {"available": 934_204, "total": 1_048_576, "used": 114_372, "path": "/var/opt"},
    }


def _storage_stats() -> Mapping[str, object]:
    return {
        "utilization": 26.6,
        "capacity": _RETENTION_MS,
        "remainingCapacity": _RETENTION_MS,
        "recordingSpace": {
            "total": 31_787_269_955_584,
            "used": 8_459_814_862_848,
            "available": 23_327_455_092_736,
        },
        "storageDistribution": {
            "recordingTypeDistributions": [
                {"recordingType": "rotating", "size": 7_736_989_099_040, "percentage": 91.4}
            ],
            "resolutionDistributions": [
                {"resolution": "HD", "size": 9_896_955_904, "percentage": 99.9}
            ],
        },
    }


_NVR_SWITCHES: Mapping[str, object] = {
    "canAutoUpdate": True,
    "isStatsGatheringEnabled": False,
    "enableAutomaticBackups": True,
    "enableBridgeAutoAdoption": True,
    "enableCrashReporting": False,
    "enableStatsReporting": False,
    "errorCode": None,
    "disableAudio": False,
    "disableAutoLink": False,
    "skipFirmwareUpdate": False,
    "isAccessInstalled": False,
    "isAdopted": True,
    "isAway": True,
    "isHardware": True,
    "isInsightsEnabled": False,
    "isNetworkInstalled": True,
    "isPrimary": True,
    "isProtectUpdatable": True,
    "isRecordingDisabled": False,
    "isRecordingMotionOnly": False,
    "isRecordingShared": False,
    "isRecycling": False,
    "isRemoteAccessEnabled": False,
    "isSetup": True,
    "isSshEnabled": False,
    "isStation": False,
    "isUcoreStacked": False,
    "isUcoreUpdatable": True,
    "isUpdating": False,
    "isWirelessUplinkEnabled": False,
    "corruptionState": "healthy",
    "dbRecoveryOptions": None,
    "deviceFirmwareSettings": None,
    "consoleEnv": "production",
    "globalCameraSettings": None,
    "portStatus": None,
    "streamSharingAvailable": False,
    "ssoChannel": None,
    "vaultCameras": [],
}
