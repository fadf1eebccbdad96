(* Limits at late times, of the exact solution in its growing and its decaying mode (E6). *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE1 EqE5 EqE6 Eq11 Basics Exact Variables.
Open Scope R_scope.

(* f(t) tends to a number as t grows. *)
Definition tends (f : R -> R) (l : R) : Prop := is_lim f p_infty l.

(* The same function from t = 0 on, written otherwise, has the same limit. *)
Lemma tends_from_0 : forall (f g : R -> R) (l l' : R),
  tends g l' -> (forall t, 0 <= t -> g t = f t) -> l' = l -> tends f l.
Proof.
  intros f g l l' Hg E <-; apply (is_lim_ext_loc g); [ | exact Hg].
  exists 0; intros t Ht; apply E; lra.
Qed.

(* The same function, written otherwise, has the same limit. *)
Lemma tends_as : forall (f g : R -> R) (l l' : R),
  tends g l' -> (forall t, g t = f t) -> l' = l -> tends f l.
Proof. intros f g l l' Hg E <-; now apply (is_lim_ext g). Qed.

(* Limits of a constant, *)
Lemma tends_constant : forall a : R, tends (fun _ => a) a.
Proof. intros a; apply is_lim_const. Qed.

(* a sum, *)
Lemma tends_plus : forall (f g : R -> R) (a b : R),
  tends f a -> tends g b -> tends (fun t => f t + g t) (a + b).
Proof. intros; now apply is_lim_plus'. Qed.

(* a product, *)
Lemma tends_times : forall (f g : R -> R) (a b : R),
  tends f a -> tends g b -> tends (fun t => f t * g t) (a * b).
Proof. intros f g a b Hf Hg; apply (is_lim_mult f g p_infty a b); auto; exact I. Qed.

(* and a quotient. *)
Lemma tends_over : forall (f g : R -> R) (a b : R), b <> 0 ->
  tends f a -> tends g b -> tends (fun t => f t / g t) (a / b).
Proof.
  intros f g a b Hb Hf Hg; apply (is_lim_div f g p_infty a b); auto.
  - intros E; apply Hb; now injection E.
  - exact I.
Qed.

(* A function has one limit. *)
Lemma tends_once : forall (f : R -> R) (a b : R), tends f a -> tends f b -> a = b.
Proof.
  intros f a b Ha Hb; apply is_lim_unique in Ha; apply is_lim_unique in Hb.
  rewrite Ha in Hb; now injection Hb.
Qed.

(* - k t falls below everything, if k > 0. *)
Lemma falls : forall k : R, 0 < k -> is_lim (fun t => - k * t) p_infty m_infty.
Proof.
  intros k Hk.
  replace m_infty with (Rbar_mult (- k) p_infty).
  - apply is_lim_scal_l, is_lim_id.
  - simpl; destruct (Rle_dec 0 (- k)) as [H | H]; [exfalso; lra | reflexivity].
Qed.

(* An exponential of a negative rate vanishes, *)
Lemma decays : forall k : R, 0 < k -> tends (fun t => exp (- k * t)) 0.
Proof.
  intros k Hk; apply (is_lim_comp exp (fun t => - k * t) p_infty 0 m_infty).
  - exact is_lim_exp_m.
  - now apply falls.
  - now exists 0.
Qed.

(* also when it is multiplied by the time. *)
Lemma decays_with_time : forall k : R, 0 < k -> tends (fun t => t * exp (- k * t)) 0.
Proof.
  intros k Hk.
  apply (tends_as _ (fun t => / - k * (- k * t * exp (- k * t))) _ (/ - k * 0)).
  - apply tends_times; [apply tends_constant | ].
    apply (is_lim_comp (fun z => z * exp z) (fun t => - k * t) p_infty 0 m_infty).
    + exact is_lim_mul_exp_m.
    + now apply falls.
    + now exists 0.
  - intros t; field; lra.
  - ring.
Qed.

(* t phi1(- c t), which may grow like exp(- c t), is lost in exp(k t) for k > 0 and k > - c. *)
Lemma phi1_decays : forall c k : R, 0 < k -> 0 < k + c ->
  tends (fun t => t * phi1 (- c * t) * exp (- k * t)) 0.
Proof.
  intros c k Hk Hkc; destruct (Req_EM_T c 0) as [-> | Hc].
  - apply (tends_as _ (fun t => t * exp (- k * t)) _ 0); [now apply decays_with_time | | reflexivity].
    intros t; replace (- 0 * t) with 0 by ring; rewrite phi1_at_0; ring.
  - apply (tends_as _ (fun t => / c * (exp (- k * t) + -1 * exp (- (k + c) * t))) _ (/ c * (0 + -1 * 0))).
    + apply tends_times; [apply tends_constant | ].
      apply tends_plus; [now apply decays | ].
      apply tends_times; [apply tends_constant | now apply decays].
    + intros t; destruct (Req_EM_T t 0) as [-> | Ht].
      * rewrite !Rmult_0_r, exp_0; field; auto.
      * rewrite phi1_quotient by (apply Rmult_integral_contrapositive_currified; lra).
        replace (- (k + c) * t) with (- k * t + - c * t) by ring; rewrite exp_plus; field; auto.
    + ring.
Qed.

(* Takes a limit apart, sum by sum and product by product. *)
Ltac limits :=
  repeat first [apply tends_constant | apply decays; lra | apply phi1_decays; lra
               | apply tends_plus | apply tends_times].

Section Limits.

Variable L : letters.
Hypothesis begins : start L.
Hypothesis solved : exact L.
Hypothesis given : variables L.
Hypothesis modes : eqE6 L.
Hypothesis targets_differ : 0 < dy2_target L.

(* Targets that differ have s > 0. *)
Lemma s_positive : 0 < s L.
Proof.
  destruct begins as ((_ & _ & _ & _ & Hs) & Hdx & Hh & Hy & _); unfold eqE5_5 in Hs; rewrite Hs.
  assert (0 < sqrt (dy2_target L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (dx2 L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  apply Rdiv_lt_0_compat; repeat apply Rmult_lt_0_compat; lra.
Qed.

(* 2 A > |c|, since A^2 = c^2/4 + s^2. *)
Lemma A_above_c : 0 < 2 * A L + c L /\ 0 < 2 * A L - c L.
Proof.
  assert (Hs := s_positive); destruct solved as (E6 & HA & _).
  assert (H2 := A_squared L E6).
  split; nra.
Qed.

(* The squares and the product of the cosine and the sine of (E6). *)
Lemma cos_squared : cos_phi L ^ 2 = 1 / 2 + c L / (4 * A L).
Proof.
  destruct A_above_c as (Hup & Hdown), solved as (_ & HA & _), modes as (_ & Hcos & _).
  unfold eqE6_2 in Hcos; rewrite Hcos, pow2_sqrt; [reflexivity | ].
  replace (1 / 2 + c L / (4 * A L)) with ((2 * A L + c L) / (4 * A L)) by (field; lra).
  left; apply Rdiv_lt_0_compat; lra.
Qed.

(* The cosine is positive. *)
Lemma cos_positive : 0 < cos_phi L.
Proof.
  destruct A_above_c as (Hup & Hdown), solved as (_ & HA & _), modes as (_ & Hcos & _).
  unfold eqE6_2 in Hcos; rewrite Hcos; apply sqrt_lt_R0.
  replace (1 / 2 + c L / (4 * A L)) with ((2 * A L + c L) / (4 * A L)) by (field; lra).
  apply Rdiv_lt_0_compat; lra.
Qed.

(* sin cos = s/2A, so that sin 2 phi = s/A. *)
Lemma sin_times_cos : sin_phi L * cos_phi L = s L / (2 * A L).
Proof.
  assert (Hcos := cos_positive); destruct solved as (_ & HA & _), modes as (_ & _ & Hsin & _).
  unfold eqE6_3 in Hsin; rewrite Hsin; field; lra.
Qed.

(* sin^2 = 1/2 - c/4A, which with the cosine makes one. *)
Lemma sin_squared : sin_phi L ^ 2 = 1 / 2 - c L / (4 * A L).
Proof.
  assert (Hcos := cos_positive); assert (Hcos2 := cos_squared); assert (Hsin := sin_times_cos).
  destruct A_above_c as (Hup & Hdown), solved as (E6 & HA & _).
  assert (H2 := A_squared L E6).
  assert (H : sin_phi L ^ 2 * cos_phi L ^ 2 = (1 / 2 - c L / (4 * A L)) * cos_phi L ^ 2).
  { replace (sin_phi L ^ 2 * cos_phi L ^ 2) with ((sin_phi L * cos_phi L) ^ 2) by ring.
    rewrite Hsin, Hcos2; field [H2]; lra. }
  apply (Rmult_eq_reg_r (cos_phi L ^ 2)); [exact H | nra].
Qed.

(* The squares of the growing and of the decaying part of the start. *)
Lemma a_plus_squared :
  a_plus L ^ 2
  = (p_0 L ^ 2 + x_0 L ^ 2) / 2 + (c L * (p_0 L ^ 2 - x_0 L ^ 2) + 4 * x_0 L * s L * p_0 L) / (4 * A L).
Proof.
  assert (Hc := cos_squared); assert (Hs := sin_squared); assert (Hsc := sin_times_cos).
  destruct solved as (_ & HA & _), modes as (_ & _ & _ & Ha & _); unfold eqE6_4 in Ha; rewrite Ha.
  replace ((cos_phi L * p_0 L + x_0 L * sin_phi L) ^ 2)
    with (cos_phi L ^ 2 * p_0 L ^ 2 + 2 * (sin_phi L * cos_phi L) * p_0 L * x_0 L + sin_phi L ^ 2 * x_0 L ^ 2)
    by ring.
  rewrite Hc, Hs, Hsc; field; lra.
Qed.

(* The square of the decaying part. *)
Lemma a_minus_squared :
  a_minus L ^ 2
  = (p_0 L ^ 2 + x_0 L ^ 2) / 2 - (c L * (p_0 L ^ 2 - x_0 L ^ 2) + 4 * x_0 L * s L * p_0 L) / (4 * A L).
Proof.
  assert (Hc := cos_squared); assert (Hs := sin_squared); assert (Hsc := sin_times_cos).
  destruct solved as (_ & HA & _), modes as (_ & _ & _ & _ & Ha); unfold eqE6_5 in Ha; rewrite Ha.
  replace ((x_0 L * cos_phi L - sin_phi L * p_0 L) ^ 2)
    with (cos_phi L ^ 2 * x_0 L ^ 2 - 2 * (sin_phi L * cos_phi L) * p_0 L * x_0 L + sin_phi L ^ 2 * p_0 L ^ 2)
    by ring.
  rewrite Hc, Hs, Hsc; field; lra.
Qed.

(* N and N' in the two modes, without what grows. *)
Lemma N_in_modes : forall t, N L t * exp (- (2 * A L) * t)
  = exp (- (2 * A L) * t) + a_plus L ^ 2 / (2 * A L) * (1 - exp (- (2 * A L) * t))
    + a_minus L ^ 2 / (2 * A L) * (exp (- (2 * A L) * t) - exp (- (4 * A L) * t))
    + y_0 L ^ 2 * (t * phi1 (- c L * t) * exp (- (2 * A L) * t)).
Proof.
  intros t; rewrite a_plus_squared, a_minus_squared.
  destruct solved as (_ & HA & E1 & _).
  assert (H := E1 t); unfold eqE1, eqE1_1, sinh, cosh in H; rewrite H.
  replace (- (4 * A L) * t) with (2 * (- (2 * A L) * t)) by ring.
  replace (- (2 * t * A L)) with (- (2 * A L) * t) by ring.
  replace (2 * t * A L) with (- (- (2 * A L) * t)) by ring.
  rewrite exp_twice, exp_minus.
  assert (He := exp_pos (- (2 * A L) * t)); revert He; generalize (exp (- (2 * A L) * t)); intros e He.
  field; lra.
Qed.

(* Both sides in exp(A t) and exp(-c t/2), of which they are rational functions; `A2` is c^2 in A and s. *)
Ltac by_modes t A2 :=
  replace (- (4 * A L) * t) with (2 * (2 * (- (t * A L)))) by ring;
  replace (- (2 * A L + c L) * t) with (2 * (- (t * A L)) + 2 * (- c L * t / 2)) by field;
  replace (- (2 * A L) * t) with (2 * (- (t * A L))) by ring;
  rewrite exp_plus, !exp_twice, exp_minus;
  let He := fresh in
  assert (He := exp_pos (t * A L)); revert He; generalize (exp (t * A L)); intros ? He;
  generalize (exp (- c L * t / 2)); intros ?;
  field [A2]; lra.

(* N' = |z|^2, likewise. *)
Lemma N_rate_in_modes : forall t, N_dot L t * exp (- (2 * A L) * t)
  = a_plus L ^ 2 + a_minus L ^ 2 * exp (- (4 * A L) * t) + y_0 L ^ 2 * exp (- (2 * A L + c L) * t).
Proof.
  intros t; rewrite a_plus_squared, a_minus_squared.
  destruct solved as (E6 & HA & _); assert (H2 := A_squared L E6).
  unfold N_dot, z_p, z_x, z_y, sinh, cosh.
  by_modes t H2.
Qed.

(* N without what grows tends to the square of the growing part of the start over 2 A. *)
Lemma N_scaled_tends : tends (fun t => N L t * exp (- (2 * A L) * t))
  (0 + a_plus L ^ 2 / (2 * A L) * (1 + -1 * 0) + a_minus L ^ 2 / (2 * A L) * (0 + -1 * 0) + y_0 L ^ 2 * 0).
Proof.
  destruct A_above_c as (Hup & _), solved as (_ & HA & _).
  apply (tends_as _ (fun t => exp (- (2 * A L) * t)
             + a_plus L ^ 2 / (2 * A L) * (1 + -1 * exp (- (2 * A L) * t))
             + a_minus L ^ 2 / (2 * A L) * (exp (- (2 * A L) * t) + -1 * exp (- (4 * A L) * t))
             + y_0 L ^ 2 * (t * phi1 (- c L * t) * exp (- (2 * A L) * t)))
             _ (0 + a_plus L ^ 2 / (2 * A L) * (1 + -1 * 0)
                + a_minus L ^ 2 / (2 * A L) * (0 + -1 * 0) + y_0 L ^ 2 * 0)); [limits | | reflexivity].
  intros t; rewrite N_in_modes; ring.
Qed.

(* What grows can be divided out of a quotient by N. *)
Lemma scaled_quotient : forall (f : R -> R) (t : R),
  f t * exp (- (2 * A L) * t) / (N L t * exp (- (2 * A L) * t)) = f t / N L t.
Proof.
  intros f t; assert (He := exp_pos (- (2 * A L) * t)).
  unfold Rdiv; rewrite Rinv_mult; generalize (/ N L t); intros n; field; lra.
Qed.

(* The logarithmic rate of N tends to 2 A, unless nothing grows. *)
Lemma growth_rate : a_plus L <> 0 -> tends (fun t => N_dot L t / N L t) (2 * A L).
Proof.
  intros Ha; destruct A_above_c as (Hup & _), solved as (_ & HA & _).
  assert (Ha2 : 0 < a_plus L ^ 2) by (apply pow2_gt_0; exact Ha).
  apply (tends_as _ (fun t => (N_dot L t * exp (- (2 * A L) * t)) / (N L t * exp (- (2 * A L) * t))) _
           ((a_plus L ^ 2 + a_minus L ^ 2 * 0 + y_0 L ^ 2 * 0)
            / (0 + a_plus L ^ 2 / (2 * A L) * (1 + -1 * 0)
               + a_minus L ^ 2 / (2 * A L) * (0 + -1 * 0) + y_0 L ^ 2 * 0))).
  - apply tends_over.
    + replace (_ + _) with (a_plus L ^ 2 / (2 * A L)) by (field; lra).
      apply Rgt_not_eq, Rdiv_lt_0_compat; lra.
    + apply (tends_as _ (fun t => a_plus L ^ 2 + a_minus L ^ 2 * exp (- (4 * A L) * t)
                                  + y_0 L ^ 2 * exp (- (2 * A L + c L) * t))
                        _ (a_plus L ^ 2 + a_minus L ^ 2 * 0 + y_0 L ^ 2 * 0)); [limits | | reflexivity].
      intros t; symmetry; apply N_rate_in_modes.
    + now apply N_scaled_tends.
  - intros t; apply (scaled_quotient (N_dot L)).
  - field; lra.
Qed.

(* So ||dh||^2, which is tau_y (c + N'/N), tends to tau_y (c + 2 A) ... *)
Lemma distance_tends : a_plus L <> 0 -> tends (dh2 L) (tau_y L * (c L + 2 * A L)).
Proof.
  intros Ha.
  apply (tends_from_0 _ (fun t => tau_y L * (c L + N_dot L t / N L t)) _ (tau_y L * (c L + 2 * A L))).
  - apply tends_times; [apply tends_constant | ].
    apply tends_plus; [apply tends_constant | now apply growth_rate].
  - intros t Ht; symmetry; apply dh2_is; [assumption.. | now apply N_here].
  - reflexivity.
Qed.

(* ... and ||dy||^2 to ||dy*||^2. *)
Lemma outputs_tend : a_plus L <> 0 -> tends (dy2 L) (dy2_target L).
Proof.
  intros Ha; assert (Htarget := target L begins); assert (Hdy2 := dy2_is L solved given).
  assert (Hhere := N_here L solved).
  destruct begins as (_ & Hdx & Hh & Hy & _), solved as (E6 & HA & _).
  assert (H2 := A_squared L E6).
  apply (tends_from_0 _ (fun t => tau_h L * tau_y L / dx2 L
                              * (c L + N_dot L t / N L t) * (- c L + N_dot L t / N L t)) _
           (tau_h L * tau_y L / dx2 L * (c L + 2 * A L) * (- c L + 2 * A L))).
  - repeat apply tends_times; try apply tends_constant; apply tends_plus; try apply tends_constant;
      now apply growth_rate.
  - intros t Ht; rewrite Hdy2 by now apply Hhere.
    generalize (N_dot L t / N L t); intros; field; lra.
  - rewrite Htarget; field [H2]; lra.
Qed.

(* N'' in the two modes, without what grows. *)
Lemma N_ddot_in_modes : forall t, N_ddot L t * exp (- (2 * A L) * t)
  = 2 * A L * (a_plus L ^ 2 - a_minus L ^ 2 * exp (- (4 * A L) * t))
    - c L * (y_0 L ^ 2 * exp (- (2 * A L + c L) * t)).
Proof.
  intros t; rewrite a_plus_squared, a_minus_squared.
  destruct solved as (E6 & HA & _); assert (H2 := A_squared L E6).
  unfold N_ddot, z_p, z_x, z_y, sinh, cosh.
  by_modes t H2.
Qed.

(* N''/N tends to 4 A^2, unless nothing grows. *)
Lemma curvature : a_plus L <> 0 -> tends (fun t => N_ddot L t / N L t) (4 * A L ^ 2).
Proof.
  intros Ha; destruct A_above_c as (Hup & _), solved as (_ & HA & _).
  assert (Ha2 : 0 < a_plus L ^ 2) by (apply pow2_gt_0; exact Ha).
  apply (tends_as _ (fun t => (N_ddot L t * exp (- (2 * A L) * t)) / (N L t * exp (- (2 * A L) * t))) _
           ((2 * A L * (a_plus L ^ 2 + -1 * (a_minus L ^ 2 * 0)) + - c L * (y_0 L ^ 2 * 0))
            / (0 + a_plus L ^ 2 / (2 * A L) * (1 + -1 * 0)
               + a_minus L ^ 2 / (2 * A L) * (0 + -1 * 0) + y_0 L ^ 2 * 0))).
  - apply tends_over.
    + replace (_ + _) with (a_plus L ^ 2 / (2 * A L)) by (field; lra).
      apply Rgt_not_eq, Rdiv_lt_0_compat; lra.
    + apply (tends_as _ (fun t => 2 * A L * (a_plus L ^ 2 + -1 * (a_minus L ^ 2 * exp (- (4 * A L) * t)))
                                  + - c L * (y_0 L ^ 2 * exp (- (2 * A L + c L) * t)))
               _ (2 * A L * (a_plus L ^ 2 + -1 * (a_minus L ^ 2 * 0)) + - c L * (y_0 L ^ 2 * 0)));
        [limits | | reflexivity].
      intros t; rewrite N_ddot_in_modes; ring.
    + now apply N_scaled_tends.
  - intros t; apply (scaled_quotient (N_ddot L)).
  - field; lra.
Qed.

(* w, which is made of N''/N - (N'/N)^2, tends to zero. *)
Lemma error_tends : a_plus L <> 0 -> tends (w L) 0.
Proof.
  intros Ha; assert (Hw := w_is L solved given); assert (Hhere := N_here L solved).
  destruct begins as (_ & Hdx & _).
  apply (tends_from_0 _ (fun t => - tau_h L * tau_y L / dx2 L
           * (N_ddot L t / N L t + -1 * (N_dot L t / N L t * (N_dot L t / N L t)))) _
           (- tau_h L * tau_y L / dx2 L * (4 * A L ^ 2 + -1 * (2 * A L * (2 * A L))))).
  - repeat first [apply tends_constant | now apply growth_rate | now apply curvature
                 | apply tends_plus | apply tends_times].
  - intros t Ht; rewrite Hw by now apply Hhere.
    replace (N_dot L t ^ 2 / N L t ^ 2) with (N_dot L t / N L t * (N_dot L t / N L t))
      by (unfold Rdiv; simpl; rewrite !Rmult_1_r, Rinv_mult; ring).
    generalize (N_ddot L t / N L t) (N_dot L t / N L t); intros; field; lra.
  - ring.
Qed.

(* c and A in the paper's letters (11): A_high is 2 tau_y c, and the root in (10) is 2 tau_y A. *)
Lemma end_in_letters : eq11 L ->
  A_high L = 2 * tau_y L * c L /\ sqrt (A_high L ^ 2 / 4 + A_low L ^ 2) = 2 * tau_y L * A L.
Proof.
  intros (Hhigh & Hlow); unfold eq11_1 in Hhigh; unfold eq11_2 in Hlow.
  assert (Htarget := target L begins).
  destruct begins as ((_ & _ & _ & Hc & _) & Hdx & Hh & Hy & H0 & _ & Hd & _), solved as (E6 & HA & _).
  unfold eqE5_4 in Hc; assert (H2 := A_squared L E6).
  assert (Ehigh : A_high L = 2 * tau_y L * c L) by (rewrite Hhigh, Hc; field; lra).
  assert (Elow : A_low L ^ 2 = 4 * tau_y L ^ 2 * s L ^ 2).
  { assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
    replace (A_low L ^ 2)
      with (sqrt (dy2_target L) ^ 2 * sqrt (dx2 L) ^ 2 * sqrt (tau_y L) ^ 2 / sqrt (tau_h L) ^ 2)
      by (rewrite Hlow; field; lra).
    rewrite !pow2_sqrt by lra; rewrite Htarget; field; lra. }
  split; [exact Ehigh | ].
  rewrite Ehigh, Elow.
  replace ((2 * tau_y L * c L) ^ 2 / 4 + 4 * tau_y L ^ 2 * s L ^ 2) with ((2 * tau_y L * A L) ^ 2)
    by (field [H2]).
  apply sqrt_pow2, Rmult_le_pos; lra.
Qed.

(* The root of a multiple of what (10) has under its root. *)
Lemma root_times : eq11 L -> forall k X : R, 0 <= k -> X = k ^ 2 * (A_high L ^ 2 / 4 + A_low L ^ 2) ->
  sqrt X = k * (2 * tau_y L * A L).
Proof.
  intros E11 k X Hk ->; destruct (end_in_letters E11) as (_ & <-).
  rewrite sqrt_mult by nra; now rewrite sqrt_pow2.
Qed.

(* The motion of p: a part that grows and one that decays. *)
Lemma p_in_modes : forall t,
  z_p L t = cos_phi L * a_plus L * exp (A L * t) - sin_phi L * a_minus L * exp (- A L * t).
Proof.
  intros t; assert (Hc := cos_squared); assert (Hs := sin_squared); assert (Hsc := sin_times_cos).
  destruct solved as (_ & HA & _), modes as (_ & _ & _ & Ha & Hb).
  unfold eqE6_4 in Ha; unfold eqE6_5 in Hb; rewrite Ha, Hb.
  replace (cos_phi L * (cos_phi L * p_0 L + x_0 L * sin_phi L))
    with (cos_phi L ^ 2 * p_0 L + (sin_phi L * cos_phi L) * x_0 L) by ring.
  replace (sin_phi L * (x_0 L * cos_phi L - sin_phi L * p_0 L))
    with ((sin_phi L * cos_phi L) * x_0 L - sin_phi L ^ 2 * p_0 L) by ring.
  rewrite Hc, Hs, Hsc; unfold z_p, sinh, cosh.
  replace (- A L * t) with (- (t * A L)) by ring; replace (A L * t) with (t * A L) by ring.
  field; lra.
Qed.

(* Where nothing grows ||dh||^2 tends to zero. *)
Lemma distance_vanishes : a_plus L = 0 -> tends (dh2 L) 0.
Proof.
  intros Ha; assert (Hstart := c_at_start L begins); assert (Hdh2 := dh2_is L solved given).
  assert (Hp := p_in_modes); destruct begins as (_ & _ & _ & Hy & _), solved as (E6 & HA & E1 & _).
  pose (most := fun t => 2 * tau_y L * (sin_phi L * a_minus L) ^ 2 * exp (- (2 * A L) * t)).
  apply (is_lim_le_le_loc (fun _ => 0) most).
  - exists 0; intros t Ht.
    assert (HN := N_from_1 L E6 HA E1 t (Rlt_le _ _ Ht)).
    assert (Hz := conserved L E6 HA E1 Hstart t (Rlt_le _ _ Ht)).
    assert (E : dh2 L t = 2 * tau_y L * z_p L t ^ 2 / N L t).
    { rewrite Hdh2 by lra; unfold N_dot.
      replace (c L) with ((z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2) / N L t) by (rewrite Hz; field; lra).
      field; lra. }
    assert (Hmost : most t = 2 * tau_y L * z_p L t ^ 2).
    { unfold most; rewrite Hp, Ha; replace (- (2 * A L) * t) with (2 * (- A L * t)) by ring.
      rewrite exp_twice; ring. }
    assert (Hpos : 0 <= 2 * tau_y L * z_p L t ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
    rewrite Hmost, E; split.
    + apply Rmult_le_pos; [exact Hpos | left; apply Rinv_0_lt_compat; lra].
    + apply (Rmult_le_reg_r (N L t)); [lra | ].
      unfold Rdiv; rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra; nra.
  - apply tends_constant.
  - apply (tends_as _ most _ (2 * tau_y L * (sin_phi L * a_minus L) ^ 2 * 0)); [ | reflexivity | ring].
    apply tends_times; [apply tends_constant | apply decays; lra].
Qed.

(* phi is an acute angle: its sine is positive too. *)
Lemma sin_positive : 0 < sin_phi L.
Proof.
  assert (Hcos := cos_positive); assert (Hs := s_positive); assert (Hsc := sin_times_cos).
  destruct solved as (_ & HA & _).
  apply (Rmult_lt_reg_r (cos_phi L)); [exact Hcos | ].
  rewrite Hsc, Rmult_0_l; apply Rdiv_lt_0_compat; lra.
Qed.

(* The product of a_+ with the same of the mirrored start is the distance from a surface. *)
Lemma surface_product :
  4 * A L * ((cos_phi L * p_0 L + x_0 L * sin_phi L) * (cos_phi L * p_0 L - x_0 L * sin_phi L))
  = c L * (2 * A L + p_0 L ^ 2 + x_0 L ^ 2) + 2 * A L * y_0 L ^ 2.
Proof.
  assert (Hstart := c_at_start L begins); assert (Hc2 := cos_squared); assert (Hs2 := sin_squared).
  destruct solved as (_ & HA & _).
  replace (4 * A L * ((cos_phi L * p_0 L + x_0 L * sin_phi L) * (cos_phi L * p_0 L - x_0 L * sin_phi L)))
    with (4 * A L * (cos_phi L ^ 2 * p_0 L ^ 2 - sin_phi L ^ 2 * x_0 L ^ 2)) by ring.
  rewrite Hc2, Hs2.
  replace (4 * A L * ((1 / 2 + c L / (4 * A L)) * p_0 L ^ 2 - (1 / 2 - c L / (4 * A L)) * x_0 L ^ 2))
    with (2 * A L * (p_0 L ^ 2 - x_0 L ^ 2) + c L * (p_0 L ^ 2 + x_0 L ^ 2)) by (field; lra).
  replace (p_0 L ^ 2 - x_0 L ^ 2) with (c L + y_0 L ^ 2) by (rewrite Hstart; ring); ring.
Qed.

(* Which starts have no growing part. *)
Lemma surface : a_plus L = 0
  <-> x_0 L < 0 /\ c L = - (2 * A L * y_0 L ^ 2 / (2 * A L + p_0 L ^ 2 + x_0 L ^ 2)).
Proof.
  assert (Hcos := cos_positive); assert (Hsin := sin_positive); assert (Hp := p_0_positive L begins).
  assert (Hproduct := surface_product).
  destruct solved as (_ & HA & _), modes as (_ & _ & _ & Ea & _); unfold eqE6_4 in Ea.
  assert (Hsum : 0 < 2 * A L + p_0 L ^ 2 + x_0 L ^ 2) by nra.
  assert (Hpc : 0 < cos_phi L * p_0 L) by (apply Rmult_lt_0_compat; assumption).
  split.
  - intros Ha; rewrite Ha in Ea; rewrite <- Ea, Rmult_0_l, Rmult_0_r in Hproduct; split.
    + apply (Rmult_lt_reg_r (sin_phi L)); [exact Hsin | lra].
    + apply (Rmult_eq_reg_r (2 * A L + p_0 L ^ 2 + x_0 L ^ 2)); [ | lra].
      replace (- (_ / _) * _) with (- (2 * A L * y_0 L ^ 2)) by (field; lra); lra.
  - intros (Hx & Hc).
    replace (c L * (2 * A L + p_0 L ^ 2 + x_0 L ^ 2) + 2 * A L * y_0 L ^ 2) with 0 in Hproduct
      by (rewrite Hc; field; lra).
    assert (Hxs : x_0 L * sin_phi L < 0) by nra.
    apply Rmult_integral in Hproduct; destruct Hproduct as [E | E]; [lra | ].
    apply Rmult_integral in E; destruct E; lra.
Qed.

(* They have c <= 0; with one output they are balanced and exactly opposed. *)
Lemma nothing_grows : a_plus L = 0 ->
  c L <= 0 /\ (y_0 L = 0 -> c L = 0 /\ x_0 L = - p_0 L).
Proof.
  intros Ha; assert (Hstart := c_at_start L begins); assert (Hp := p_0_positive L begins).
  destruct (proj1 surface Ha) as (Hx & Hc), solved as (_ & HA & _).
  assert (Hsum : 0 < 2 * A L + p_0 L ^ 2 + x_0 L ^ 2) by nra.
  split.
  - assert (H : 0 <= 2 * A L * y_0 L ^ 2 / (2 * A L + p_0 L ^ 2 + x_0 L ^ 2)); [ | lra].
    apply Rmult_le_pos; [ | left; now apply Rinv_0_lt_compat].
    apply Rmult_le_pos; [lra | apply pow2_ge_0].
  - intros Hy.
    assert (Hc0 : c L = 0) by (rewrite Hc, Hy; field; lra).
    split; [exact Hc0 | ]; rewrite Hc0, Hy in Hstart.
    assert (Hfactors : (p_0 L - x_0 L) * (p_0 L + x_0 L) = 0) by lra.
    apply Rmult_integral in Hfactors; lra.
Qed.

End Limits.
