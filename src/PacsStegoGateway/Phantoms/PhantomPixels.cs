using System.Buffers.Binary;

namespace PacsStegoGateway.Phantoms;

/// <summary>From a drawn body to stored values: what a scanner's detector, reconstruction and storage add to it.</summary>
internal static class PhantomPixels
{
    /// <summary>Stored values of CT: HU + 1024 in 12 bits, unsigned; what is darker than -1024 HU is stored as 0.</summary>
    public static byte[] UnsignedCT(PhantomCanvas canvas, PhantomRandom random)
    {
        float[] noise = PhantomCanvas.SmoothNoise(canvas.Size, 13, random);
        byte[] frame = new byte[canvas.Values.Length * 2];
        for (int i = 0; i < canvas.Values.Length; i++)
        {
            int stored = (int)Math.Round(canvas.Values[i] + noise[i] + 1024);
            BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(i * 2), (ushort)Math.Clamp(stored, 0, 4095));
        }

        return frame;
    }

    /// <summary>
    /// Stored values of CT: HU + 1024 in 16 bits, signed, not clipped in air; outside the circle of reconstruction
    /// <paramref name="padding"/>.
    /// </summary>
    public static byte[] SignedCT(PhantomCanvas canvas, PhantomRandom random, short padding)
    {
        float[] noise = PhantomCanvas.SmoothNoise(canvas.Size, 16, random);
        byte[] frame = new byte[canvas.Values.Length * 2];
        double half = canvas.Size / 2.0;
        for (int i = 0; i < canvas.Values.Length; i++)
        {
            double x = (i % canvas.Size) + 0.5 - half;
            double y = (i / canvas.Size) + 0.5 - half;
            int stored = (x * x) + (y * y) > half * half
                ? padding
                : (int)Math.Clamp(Math.Round(canvas.Values[i] + noise[i] + 1024), -1000, 4095);
            BinaryPrimitives.WriteInt16LittleEndian(frame.AsSpan(i * 2), (short)stored);
        }

        return frame;
    }

    /// <summary>
    /// Stored values of MR in 12 bits: the signal seen by coils on the surface, and the magnitude of complex noise,
    /// which follows Rayleigh in air and Rice in the body.
    /// </summary>
    public static byte[] MR(PhantomCanvas canvas, PhantomRandom random)
    {
        const double Deviation = 9;
        double tilt = random.Uniform(0, 2 * Math.PI);
        byte[] frame = new byte[canvas.Values.Length * 2];
        for (int i = 0; i < canvas.Values.Length; i++)
        {
            double x = (2.0 * (i % canvas.Size) / canvas.Size) - 1;
            double y = (2.0 * (i / canvas.Size) / canvas.Size) - 1;
            double coil = 0.8 + (0.3 * ((x * x) + (y * y))) + (0.08 * ((x * Math.Cos(tilt)) + (y * Math.Sin(tilt))));
            double real = (canvas.Values[i] * coil) + (random.Normal() * Deviation);
            double imaginary = random.Normal() * Deviation;
            int stored = (int)Math.Round(Math.Sqrt((real * real) + (imaginary * imaginary)));
            BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(i * 2), (ushort)Math.Min(stored, 4095));
        }

        return frame;
    }
}
