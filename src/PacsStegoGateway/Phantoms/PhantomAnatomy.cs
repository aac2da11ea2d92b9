namespace PacsStegoGateway.Phantoms;

/// <summary>Drawn bodies: CT in HU, MR as signal before noise. Nobody's anatomy, but with its shapes, edges and contrasts.</summary>
internal static class PhantomAnatomy
{
    private const double Air = -1000;
    private const double Fat = -95;
    private const double Muscle = 55;
    private const double Bone = 650;

    /// <summary>The upper abdomen on a couch.</summary>
    /// <param name="position">Along the series, 0 to 1.</param>
    public static PhantomCanvas AbdomenCT(int size, double position, PhantomRandom body)
    {
        double wide = 0.74 + (0.03 * Math.Sin(position * Math.PI)) + body.Uniform(-0.02, 0.02);
        double deep = 0.52 + (0.03 * position) + body.Uniform(-0.02, 0.02);
        PhantomCanvas canvas = OnCouch(size, deep);
        Trunk(canvas, wide, deep);
        canvas.Ellipse(0, -0.02, wide - 0.14, deep - 0.12, -70, power: 2.3);
        canvas.Ellipse(-0.27, -0.07, 0.29 - (0.06 * position), 0.31 - (0.07 * position), 105, -14, 2.2);
        canvas.Ellipse(-0.08, -0.24, 0.2 - (0.05 * position), 0.11, 100, 8);
        canvas.Ellipse(0.2, -0.18, 0.17, 0.15, 30, 20);
        canvas.Ellipse(0.22, -0.24, 0.09, 0.05 + (0.02 * position), -890, 10);
        canvas.Ellipse(0.41, 0.06, 0.13, 0.2 - (0.05 * position), 115, 28);
        for (int side = -1; side <= 1; side += 2)
        {
            canvas.Ellipse(side * 0.25, 0.22, 0.095, 0.13, 150, side * -22);
            canvas.Ellipse(side * 0.22, 0.215, 0.035, 0.06, -60, side * -22);
            canvas.Ellipse(side * 0.14, 0.36, 0.12, 0.085, Muscle, side * 8);
            Ribs(canvas, side, wide, deep, position);
        }

        for (int loop = 0; loop < 6; loop++)
        {
            double angle = (loop * 1.05) + (position * 2.5);
            canvas.Ellipse(0.08 + (0.24 * Math.Cos(angle)), -0.02 + (0.1 * Math.Sin(angle)), 0.07, 0.05, 35, loop * 31);
            canvas.Ellipse(0.08 + (0.24 * Math.Cos(angle)), -0.035 + (0.1 * Math.Sin(angle)), 0.03, 0.018, -650, loop * 31);
        }

        Spine(canvas, 0.19);
        canvas.Ellipse(0.03, 0.06, 0.042, 0.042, 190);
        canvas.Ellipse(-0.07, 0.06, 0.045, 0.032, 160);
        canvas.Mottle(-150, 300, 7, body);
        return canvas;
    }

    /// <summary>The chest, lungs open and dark, on a couch.</summary>
    /// <param name="position">Along the series, 0 to 1.</param>
    public static PhantomCanvas ChestCT(int size, double position, PhantomRandom body)
    {
        double wide = 0.72 + (0.04 * position) + body.Uniform(-0.02, 0.02);
        double deep = 0.48 + (0.03 * position) + body.Uniform(-0.015, 0.015);
        PhantomCanvas canvas = OnCouch(size, deep);
        Trunk(canvas, wide, deep);
        for (int side = -1; side <= 1; side += 2)
        {
            canvas.Ellipse(side * 0.31, -0.01, 0.2 + (0.03 * position), 0.3 + (0.03 * position), -855, side * 6, 2.4);
            for (int vessel = 0; vessel < 26; vessel++)
            {
                double angle = body.Uniform(0, 2 * Math.PI);
                double far = Math.Sqrt(body.Uniform(0.02, 0.85));
                double thick = body.Uniform(0.004, 0.012) * (1.2 - far);
                canvas.Ellipse(side * (0.31 + (0.18 * far * Math.Cos(angle))), -0.01 + (0.27 * far * Math.Sin(angle)), thick * 2.5, thick, 20, angle * 57);
            }

            Ribs(canvas, side, wide, deep, position);
            canvas.Ellipse(side * 0.2, 0.37, 0.14, 0.06, Muscle, side * 10);
        }

        canvas.Ellipse(0, 0.02, 0.1, 0.27, -20, power: 2.4);
        canvas.Ellipse(0.1, -0.06, 0.2 * (0.5 + (0.5 * position)), 0.17 * (0.5 + (0.5 * position)), 90, 28);
        canvas.Ellipse(0.02, -0.16 + (0.04 * position), 0.07, 0.065, 170);
        canvas.Ellipse(0.09, 0.12, 0.05, 0.05, 175);
        canvas.Ellipse(0, 0.05 - (0.03 * position), 0.034, 0.038, -960);
        canvas.Ellipse(0, -(deep - 0.09), 0.08, 0.028, 420);
        Spine(canvas, 0.19);
        canvas.Mottle(-150, 300, 7, body);
        canvas.Mottle(-900, -780, 14, body);
        return canvas;
    }

    /// <summary>The abdomen by MR, T1 weighted: fat bright, air, vessels and cortical bone dark. Signal 0 to about 1500.</summary>
    /// <param name="position">Along the series, 0 to 1.</param>
    public static PhantomCanvas AbdomenMR(int size, double position, PhantomRandom body)
    {
        double wide = 0.84 + body.Uniform(-0.03, 0.03);
        double deep = 0.55 + (0.03 * position) + body.Uniform(-0.02, 0.02);
        var canvas = new PhantomCanvas(size, 0);
        canvas.Ellipse(0, 0, wide, deep, 1250, power: 2.35);
        canvas.Ellipse(0, 0, wide - 0.09, deep - 0.08, 430, power: 2.3);
        canvas.Ellipse(0, -0.02, wide - 0.16, deep - 0.14, 900, power: 2.3);
        canvas.Ellipse(-0.31, -0.07, 0.32 - (0.06 * position), 0.32 - (0.07 * position), 640, -14, 2.2);
        canvas.Ellipse(0.23, -0.2, 0.18, 0.15, 380, 20);
        canvas.Ellipse(0.25, -0.26, 0.09, 0.05, 40, 10);
        canvas.Ellipse(0.47, 0.06, 0.14, 0.21, 500, 28);
        for (int side = -1; side <= 1; side += 2)
        {
            canvas.Ellipse(side * 0.28, 0.22, 0.1, 0.135, 560, side * -22);
            canvas.Ellipse(side * 0.26, 0.215, 0.04, 0.07, 330, side * -22);
            canvas.Ellipse(side * 0.15, 0.39, 0.13, 0.085, 400, side * 8);
        }

        for (int vessel = 0; vessel < 9; vessel++)
        {
            canvas.Ellipse(-0.31 + body.Uniform(-0.2, 0.2), -0.07 + body.Uniform(-0.18, 0.18), 0.014, 0.014, 160);
        }

        canvas.Ellipse(0, 0.28, 0.105, 0.09, 700, power: 2.4);
        canvas.Ellipse(0, 0.38, 0.045, 0.035, 260);
        canvas.Ellipse(0.04, 0.14, 0.045, 0.045, 70);
        canvas.Ellipse(-0.08, 0.14, 0.05, 0.035, 110);
        canvas.Mottle(60, 1600, 28, body);
        return canvas;
    }

    /// <summary>The head by MR, T1 weighted: scalp bright, skull dark, grey and white matter, ventricles.</summary>
    /// <param name="position">Along the series, 0 to 1.</param>
    public static PhantomCanvas HeadMR(int size, double position, PhantomRandom body)
    {
        double grown = 0.86 + (0.14 * Math.Sin(Math.PI * (0.2 + (0.6 * position))));
        double wide = (0.6 + body.Uniform(-0.02, 0.02)) * grown;
        double deep = (0.75 + body.Uniform(-0.02, 0.02)) * grown;
        var canvas = new PhantomCanvas(size, 0);
        canvas.Ellipse(0, 0, wide, deep, 1150, power: 2.15);
        canvas.Ellipse(0, 0, wide - 0.05, deep - 0.05, 90, power: 2.15);
        canvas.Ellipse(0, 0, wide - 0.09, deep - 0.09, 190, power: 2.15);
        canvas.Ellipse(0, 0, wide - 0.11, deep - 0.11, 560, power: 2.15);
        for (int fold = 0; fold < 34; fold++)
        {
            double angle = fold * 2 * Math.PI / 34;
            double depth = 0.07 + body.Uniform(0, 0.07);
            canvas.Ellipse((wide - 0.12 - (depth / 2)) * Math.Cos(angle), (deep - 0.12 - (depth / 2)) * Math.Sin(angle), depth, 0.011, 230, angle * 57.3);
        }

        canvas.Ellipse(0, 0, wide - 0.23, deep - 0.24, 830, power: 2.2);
        for (int side = -1; side <= 1; side += 2)
        {
            canvas.Ellipse(side * 0.1, -0.13, 0.035, 0.15, 170, side * -14);
            canvas.Ellipse(side * 0.12, 0.16, 0.03, 0.13, 170, side * 16);
            canvas.Ellipse(side * 0.2, -0.02, 0.06, 0.14, 620, side * 8);
            canvas.Ellipse(side * 0.08, 0.03, 0.055, 0.1, 640, side * 12);
        }

        canvas.Ellipse(0, 0, 0.007, deep - 0.12, 210);
        canvas.Mottle(60, 1600, 22, body);
        return canvas;
    }

    private static PhantomCanvas OnCouch(int size, double deep)
    {
        var canvas = new PhantomCanvas(size, (float)Air);
        double middle = deep + 0.1;
        canvas.Ellipse(0, middle, 0.66, 0.1, -120, power: 3.5);
        canvas.Ellipse(0, middle, 0.648, 0.088, -935, power: 3.5);
        return canvas;
    }

    private static void Trunk(PhantomCanvas canvas, double wide, double deep)
    {
        canvas.Ellipse(0, 0, wide, deep, 40, power: 2.3);
        canvas.Ellipse(0, 0, wide - 0.012, deep - 0.012, Fat, power: 2.3);
        canvas.Ellipse(0, 0.01, wide - 0.09, deep - 0.07, Muscle, power: 2.3);
    }

    private static void Ribs(PhantomCanvas canvas, int side, double wide, double deep, double position)
    {
        for (int rib = 0; rib < 5; rib++)
        {
            double angle = -1.1 + (rib * 0.52) + (0.35 * position);
            double x = side * (wide - 0.115) * Math.Cos(angle);
            double y = (deep - 0.095) * Math.Sin(angle);
            canvas.Ellipse(x, y, 0.05, 0.018, Bone, (side * angle * 57.3) + 90);
            canvas.Ellipse(x, y, 0.036, 0.008, 250, (side * angle * 57.3) + 90);
        }
    }

    private static void Spine(PhantomCanvas canvas, double y)
    {
        canvas.Ellipse(0, y, 0.1, 0.085, Bone, power: 2.3);
        canvas.Ellipse(0, y, 0.085, 0.07, 210, power: 2.3);
        canvas.Ellipse(0, y + 0.13, 0.075, 0.06, Bone, power: 2.2);
        canvas.Ellipse(0, y + 0.125, 0.04, 0.035, 25);
        canvas.Ellipse(0, y + 0.17, 0.014, 0.055, Bone);
        for (int side = -1; side <= 1; side += 2)
        {
            canvas.Ellipse(side * 0.11, y + 0.125, 0.07, 0.018, Bone, side * 18);
        }
    }
}
