"""Exports of footage, in one request or in two."""

from itertools import count
from threading import Lock

from upvs_tasks.simulator.accounts import UserAccount
from upvs_tasks.simulator.behaviour import NoFootageAnswer, TooYoung
from upvs_tasks.simulator.cameras import SimulatedCamera
from upvs_tasks.simulator.clip_file import empty_mp4
from upvs_tasks.simulator.messages import (
    NOT_FOUND,
    VIDEO,
    Request,
    Response,
    error_response,
    json_response,
)
from upvs_tasks.simulator.world import World

_FIRST_OPERATION_ID = 8969
_CHANNELS = range(3)


class VideoRoutes:
    """The responses to requests for footage."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._behaviour = world.behaviour
        self._operation_ids = count(_FIRST_OPERATION_ID)
        self._prepared: dict[str, Request] = {}
        self._lock = Lock()

    def respond(self, request: Request, action: str, account: UserAccount) -> Response:
        """Return the response to an action on footage that this user requests."""
        if not account.may_read_media:
            return error_response(403, "Forbidden")
        match action:
            case "export":
                return self._export(request)
            case "prepare":
                return self._prepare(request)
            case "download":
                return self._download(request)
        return NOT_FOUND

    def _export(self, request: Request) -> Response:
        camera = self._world.camera(request.value("camera"))
        start_ms, end_ms = request.number("start"), request.number("end")
        channel = request.number("channel") or 0
        if start_ms is None or end_ms is None or start_ms >= end_ms or channel not in _CHANNELS:
            return error_response(400, "Bad Request")
        if camera is None or not camera.is_adopted:
            return NOT_FOUND
        is_too_young = self._world.is_too_young(end_ms)
        if is_too_young and self._behaviour.too_young is TooYoung.STATUS_500:
            return json_response({"error": "Unable to export video"}, 500)
        clip = self._world.clip(camera, start_ms, end_ms, channel=channel)
        if clip is None:
            return self._no_footage()
        self._world.note_export(camera.camera_id)
        disposition = f'attachment; filename="{_file_name(camera, start_ms, end_ms)}"'
        return Response(200, clip, VIDEO).with_headers(("Content-Disposition", disposition))

    def _no_footage(self) -> Response:
        match self._behaviour.no_footage:
            case NoFootageAnswer.STATUS_500:
                return json_response({"error": "No files found matching criteria."}, 500)
            case NoFootageAnswer.EMPTY_MP4:
                return Response(200, empty_mp4(), VIDEO)
            case _:
                content = {"error": 502, "operationId": next(self._operation_ids)}
                return json_response(content, 404)

    def _prepare(self, request: Request) -> Response:
        camera = self._world.camera(request.value("camera"))
        start_ms, end_ms = request.number("start"), request.number("end")
        if camera is None or start_ms is None or end_ms is None or start_ms >= end_ms:
            return error_response(400, "Bad Request")
        if not camera.is_recorded_at(start_ms) or start_ms > self._world.now_ms():
            response = json_response({"error": "Recording not found"}, 404)
            return response.with_headers(("X-Error-Code", "kRecordingNotFound"))
        name = _file_name(camera, start_ms, end_ms)
        with self._lock:
            self._prepared[name] = request
        return json_response({"fileName": name})

    def _download(self, request: Request) -> Response:
        with self._lock:
            prepared = self._prepared.pop(request.value("filename") or "", None)
        return NOT_FOUND if prepared is None else self._export(prepared)


def _file_name(camera: SimulatedCamera, start_ms: int, end_ms: int) -> str:
    return f"{camera.mac}_0_{start_ms}_{end_ms}.mp4"
