namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>A frame as it is shown: gray or RGB, square pixels when it was scaled, nothing left to be applied.</summary>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Channels">1 gray (0 is black), 3 red, green, blue.</param>
/// <param name="BitsPerSample">8, or 16 in big endian, as PNG has them.</param>
/// <param name="Samples">Row-major, channels of a pixel together.</param>
/// <param name="Window">The window that was applied to a gray image, or null (VOI LUT, colour).</param>
public sealed record RenderedFrame(int Width, int Height, int Channels, int BitsPerSample, byte[] Samples, DisplayWindow? Window);
