"""A Matrix client with encryption for the restore drill, one step per call:

    client.py STORE login TOKEN            a new device; its state stays in the directory STORE
    client.py STORE create USER            an encrypted room with USER in it
    client.py STORE join ROOM
    client.py STORE sync                   to the end, with the keys that the server lacks
    client.py STORE send ROOM TEXT
    client.py STORE read ROOM              every text of the room that it can read, one a line

It ends with 1 when the server refuses something. A message that cannot be read shows as "undecryptable".
"""

import asyncio
import json
import pathlib
import sys

import nio

HOMESERVER = "https://matrix.philipp.info"


def must(response):
    if isinstance(response, nio.ErrorResponse):
        sys.exit(f"the server refuses: {response}")
    return response


class Client:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.session = self.directory / "session.json"
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
        self.nio = nio.AsyncClient(HOMESERVER, store_path=str(self.directory), config=config)
        if self.session.exists():
            self.nio.restore_login(**json.loads(self.session.read_text()))

    async def login(self, token):
        self.directory.mkdir(parents=True, exist_ok=True)
        got = must(await self.nio.login(token=token))
        self.session.write_text(json.dumps({"user_id": got.user_id, "device_id": got.device_id, "access_token": got.access_token}))
        await self.sync()
        print(got.device_id)

    async def sync(self):
        """A few times, and after each what a client owes the server. The first one starts from nothing, as with a
        cleared cache: after a restore an old position means nothing."""
        for _ in range(4):
            got = must(await self.nio.sync(timeout=0, full_state=True))
            self.nio.olm.save_account()  # matrix-nio 0.26 saves it before a one-time key is used up, not after
            if got.device_key_count.signed_curve25519 == 0:
                self.nio.olm.uploaded_key_count = 0  # matrix-nio 0.26 overlooks that the server has none left
            await self.nio.send_to_device_messages()
            if self.nio.should_upload_keys:
                must(await self.nio.keys_upload())
            if self.nio.should_query_keys:
                must(await self.nio.keys_query())
            if self.nio.should_claim_keys:
                must(await self.nio.keys_claim(self.nio.get_users_for_key_claiming()))

    async def create(self, user):
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        got = must(await self.nio.room_create(invite=[user], initial_state=[encryption]))
        print(got.room_id)

    async def join(self, room):
        must(await self.nio.join(room))

    async def send(self, room, text):
        await self.sync()
        content = {"msgtype": "m.text", "body": text}
        must(await self.nio.room_send(room, "m.room.message", content, ignore_unverified_devices=True))

    async def read(self, room):
        await self.sync()
        got = must(await self.nio.room_messages(room, direction=nio.MessageDirection.front, limit=100))
        for event in got.chunk:
            if isinstance(event, nio.RoomMessageText):
                print(event.body)
            elif isinstance(event, nio.MegolmEvent):
                print("undecryptable")


async def main(directory, step, *args):
    client = Client(directory)
    try:
        await getattr(client, step)(*args)
    finally:
        await client.nio.close()


asyncio.run(main(*sys.argv[1:]))
