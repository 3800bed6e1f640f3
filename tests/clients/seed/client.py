import asyncio
import websockets
import json
class RotoclearWebSocketClient:
    def __init__(self, url, username=None, password=None):
        self.url = url
        self.username = username
        self.password = password
        self.ws = None
    async def connect(self):
        """Connect to WebSocket server"""
        self.ws = await websockets.connect(self.url)
        print(f"Connected to {self.url}")
        # Authenticate if credentials provided
        if self.username and self.password:
            await self.authenticate()
        # Start listening for messages
        await self.listen()
    async def authenticate(self):
        """Send authentication credentials"""
        auth_msg = {
            'username': self.username,
            'password': self.password
        }
        await self.ws.send(json.dumps(auth_msg))
        print("Authentication sent")
    async def send(self, data):
        """Send message to server"""
        if self.ws:
            await self.ws.send(json.dumps(data))
    async def listen(self):
        """Listen for incoming messages"""
        try:
            async for message in self.ws:
                data = json.loads(message)
                await self.handle_message(data)
        except websockets.exceptions.ConnectionClosed:
            print("Connection closed")
    async def handle_message(self, data):
        """Handle incoming message"""
        print(f"Received: {data}")
        # Handle specific state changes
        if 'brightness' in data:
            print(f"Brightness changed to: {data['brightness']}")
        if 'record' in data:
            print(f"Recording state: {data['record']}")
    # Camera control methods
    async def set_light(self, camera, on):
        """Turn camera light on/off"""
        key = f'cam{camera}-light'
        await self.send({key: on})
    async def set_brightness(self, value):
        """Set image brightness (0-100)"""
        await self.send({'brightness': value})
    async def set_resolution(self, resolution):
        """Set video resolution"""
        await self.send({'resolution': resolution})
    async def start_recording(self):
        """Start video recording"""
        await self.send({'record': True})
    async def stop_recording(self):
        """Stop video recording"""
        await self.send({'record': False})
    async def take_snapshot(self):
        """Take a snapshot"""
        await self.send({'snap': True})
# Usage
async def main():
    client = RotoclearWebSocketClient(
        'ws://localhost/api/v1',
        username='admin',
        password='password'
    )
    # Connect and authenticate
    await client.connect()
    # Control camera
    await client.set_light(1, True)
    await client.set_brightness(75)
    await client.start_recording()
    await asyncio.sleep(10)
    await client.stop_recording()
if __name__ == '__main__':
    asyncio.run(main())
